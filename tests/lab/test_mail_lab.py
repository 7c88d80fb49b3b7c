"""The lab itself: its servers, and the sender that follows MX."""

import smtplib
import time
from collections.abc import Iterator, Mapping

import pytest

from tests.lab.mail_lab import DOMAIN, OLD_HOST, PEOPLE, MailLab
from tests.lab.mail_server import MailServer, settle
from tests.lab.patience import PATIENCE
from tests.lab.sender import Letter, Sender

pytestmark = pytest.mark.daemon
ANN, BOB = PEOPLE[:2]
WORLD = "writer@elsewhere.example"


class Timed(MailLab):
    took: float


@pytest.fixture(scope="module")
def lab() -> Iterator[Timed]:
    lab = Timed()
    try:
        began = time.monotonic()
        lab.start()
        lab.took = time.monotonic() - began
        lab.new.serve(DOMAIN, {ANN: lab.passwords[ANN]}, {f"only@{DOMAIN}": ANN})
        yield lab
    finally:
        lab.remove()


@pytest.fixture
def sender(lab: Timed) -> Iterator[Sender]:
    sender = lab.sender()
    yield sender
    sender.close()


def sent(sender: Sender, letter: Letter) -> Letter:
    sender.send(letter)
    sender.drain(PATIENCE)
    return letter


def found(server: MailServer, mailbox: str, number: int) -> list[Mapping[str, str]]:
    return [s.headers for s in server.stored() if (s.mailbox, s.headers["X-Number"]) == (mailbox, str(number))]


def test_all_of_it_starts_within_seconds(lab: Timed) -> None:
    assert lab.took < 15  # five servers; an idle machine needs one second


def test_mail_follows_the_mx_to_mailbox_alias_and_catch_all(lab: Timed, sender: Sender) -> None:
    for number, (recipient, mailbox) in enumerate(
        [(ANN, ANN), (f"info@{DOMAIN}", ANN), (f"whoever@{DOMAIN}", f"dan@{DOMAIN}"), (f"team@{DOMAIN}", BOB)], 100
    ):
        assert sent(sender, Letter(number, recipient, WORLD)).accepted_by == lab.old.address
        settle([lab.old])
        assert len(found(lab.old, mailbox, number)) == 1


def test_unknown_addresses_and_other_peoples_domains_are_refused(lab: Timed) -> None:
    assert lab.new.answer(ANN, source=lab.outside)[0] == 250
    assert lab.new.answer(f"nobody@{DOMAIN}", source=lab.outside)[0] == 550
    assert lab.old.answer(f"nobody@{OLD_HOST}", source=lab.outside)[0] == 550
    assert lab.old.answer("somebody@elsewhere.example", source=lab.outside)[0] == 554


def test_what_sieve_forwards_arrives_on_the_other_server_once(lab: Timed, sender: Sender) -> None:
    lab.new.dovecot.put_script(ANN, "roundcube", f'require ["copy"];\nredirect :copy "ann@{OLD_HOST}";\n')
    letter = Letter(200, ANN, ANN)
    lab.new.submit(ANN, lab.passwords[ANN], letter.message())
    settle([lab.new, lab.old])
    assert len(found(lab.new, ANN, 200)) == 1
    (copy,) = found(lab.old, ANN, 200)
    assert copy["X-Sieve-Redirected-From"] == ANN


def test_a_submitted_message_is_signed_and_another_text_is_not_verified(lab: Timed) -> None:
    letter = Letter(300, BOB, ANN)
    lab.old.submit(ANN, lab.passwords[ANN], letter.message())
    settle([lab.old])
    (stored,) = (s for s in lab.old.stored() if s.headers["X-Number"] == "300")
    name = f"old2019._domainkey.{DOMAIN}"
    (key,) = lab.bind.answers(f"{name}.", "TXT")
    zone = {name: key.replace('" "', "").strip('"')}
    message = stored.file.read_bytes()
    assert lab.old.opendkim.verify(message, zone).endswith("succeeded")
    assert "failed" in lab.old.opendkim.verify(message.replace(b"This is", b"This was"), zone)


def test_a_wrong_password_submits_nothing(lab: Timed) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError):
        lab.old.submit(ANN, "wrong", Letter(1, BOB, ANN).message())


def test_a_refused_letter_is_given_back_and_a_closed_server_is_tried_again(lab: Timed, sender: Sender) -> None:
    lab.bind.nsupdate(f"update delete {DOMAIN}. MX", f"update add {DOMAIN}. 1 MX 10 mail.new.example.")
    lab.unbound.forget()
    bounced = sent(sender, Letter(400, f"nobody@{DOMAIN}", WORLD)).bounced
    assert bounced is not None
    assert "550" in bounced
    lab.new.postfix.stop()
    letter = Letter(401, ANN, WORLD)
    sender.send(letter)
    time.sleep(0.5)
    meanwhile = letter.accepted_by
    assert meanwhile is None
    lab.new.postfix.start()
    sender.drain(PATIENCE)
    assert letter.accepted_by == lab.new.address
    assert letter.tries > 1
    assert all(lab.new.address in trouble for trouble in letter.troubles)


def test_the_sender_believes_the_cache_as_long_as_its_ttl_lasts(lab: Timed, sender: Sender) -> None:
    lab.bind.nsupdate(f"update delete {DOMAIN}. MX", f"update add {DOMAIN}. 3 MX 10 {OLD_HOST}.")
    lab.unbound.forget()
    assert sent(sender, Letter(500, ANN, WORLD)).accepted_by == lab.old.address
    looked_up = time.monotonic()
    lab.bind.nsupdate(f"update delete {DOMAIN}. MX", f"update add {DOMAIN}. 3 MX 10 mail.new.example.")
    assert sent(sender, Letter(501, ANN, WORLD)).accepted_by == lab.old.address
    time.sleep(max(looked_up + 4 - time.monotonic(), 0))
    assert sent(sender, Letter(502, ANN, WORLD)).accepted_by == lab.new.address
