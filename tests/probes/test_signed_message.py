import dataclasses
import re
import smtplib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from reconciler.checks.dkim_proven import CHECK
from reconciler.extend import Surroundings
from reconciler.model.address import Address, Place
from reconciler.model.outside import Outside, SignedTest
from reconciler.model.reference import reference
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Wait, Warn
from reconciler.ports import Secrets
from reconciler.probes.signed_message import PROBE
from reconciler.spec.spec import Spec
from tests.lab.loopback import SMTP
from tests.probes.around import around
from tests.probes.secured import Secured, reload
from tests.support.changes import NEW_MX, OLD_MX, mailbox, mx, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

pytestmark = pytest.mark.daemon

ME = "move-test@example.org"
PASSWORD = 'Grüße, "€" \\ 𝄞'
_OWNER = "s2._domainkey.example.org"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - mail servers live in real time


@dataclasses.dataclass
class Signing:
    """The mail server with a mailbox, a key, and what the zone will say of it."""

    people: Secured
    key: str

    def spec(self, port: str = "", **more: object) -> Spec:
        signed = {
            "mailbox": ME,
            "password": "env:TEST_PASSWORD",
            "submission": self.people.submission(port),
            "imap": self.people.imap(),
            "patience": 20,
        }
        return spec(probe={"signed": signed | more, "timeout": 10}, mailboxes=[{"address": ME}])

    def surroundings(
        self, *zone: Resource, world: tuple[Resource, ...] = (), password: str = PASSWORD, at: datetime | None = None
    ) -> Surroundings:
        planned = zone or (mx(NEW_MX), txt(self.key, owner=_OWNER))
        return around(
            mx(OLD_MX), *(world or (mailbox(Place.NEW, ME),)),
            zones={Stage.CUTOVER: state(*planned)}, base=self.people.folder, now=at or now(),
            environment={"TEST_PASSWORD": password},
        )  # fmt: skip

    def seen(self, move: Spec | None = None, surroundings: Surroundings | None = None) -> SignedTest:
        found = PROBE.gather(move or self.spec(), surroundings or self.surroundings())
        assert isinstance(found, SignedTest)
        return found

    def judged(self, move: Spec | None = None, surroundings: Surroundings | None = None) -> Answer:
        known = facts(Stage.CUTOVER, {})
        seen = self.seen(move, surroundings)
        return CHECK.judge(move or self.spec(), dataclasses.replace(known, outside=Outside((seen,))))

    def messages(self) -> list[str]:
        return [it.headers["Reconciler-Test"] for it in self.people.server.stored() if it.mailbox == ME]

    def forget(self) -> None:
        """An empty mailbox."""
        for it in [*self.people.server.stored()]:
            it.file.unlink()


@pytest.fixture(scope="module")
def made(people: Secured) -> Iterator[Signing]:
    server = people.server
    server.serve("example.org", {ME: PASSWORD}, {"info@example.org": ME})
    key = server.opendkim.add_key("example.org", "s2")
    reload(people)
    yield Signing(people, key)
    assert server.postfix.queued() == 0


@pytest.fixture
def signing(made: Signing) -> Signing:
    made.forget()
    return made


def test_a_spec_that_describes_no_message_has_none_sent():
    assert PROBE.gather(spec(), around()) is None
    assert PROBE.gather(spec(probe={"resolver": "127.0.0.1"}), around()) is None
    assert isinstance(CHECK.judge(spec(), facts(Stage.CUTOVER, {})), Pass)


def test_a_message_that_the_new_server_signs_verifies_by_the_record_that_is_planned(signing: Signing):
    found = signing.seen()
    assert [(it.domain, it.selector, it.why) for it in found.signatures] == [("example.org", "s2", "")]
    assert (found.mailbox, found.envelope, found.trouble) == (ME, "example.org", "")
    assert found.arrived
    assert abs(found.arrived - now()) < timedelta(minutes=1)
    assert isinstance(signing.judged(), Pass)
    assert len(signing.messages()) == 1


def test_implicit_tls_will_do_as_well(signing: Signing):
    assert signing.seen(signing.spec("implicit", imap=signing.people.imap(implicit=True))).signatures


def test_what_is_sent_says_what_it_is_and_stays_unread(signing: Signing):
    signing.seen()
    (stored,) = signing.people.server.stored()
    assert stored.headers["Subject"] == "Test of how example.org will be signed"
    assert stored.headers["Auto-Submitted"] == "auto-generated"
    assert "may be deleted" in stored.file.read_text()
    assert stored.file.parent.name == "new"


def test_the_next_plan_finds_it_and_sends_no_other(signing: Signing):
    first = signing.seen()
    assert signing.seen() == first
    assert signing.seen() == first
    assert len(signing.messages()) == 1


def test_other_mail_is_not_taken_for_it(signing: Signing):
    message = EmailMessage()
    message["From"], message["Subject"] = ME, "Test of how example.org will be signed"
    message["To"] = ME
    message.set_content("Reconciler-Test: example.org\n")
    with_mark = EmailMessage()
    with_mark["From"] = with_mark["To"] = ME
    with_mark["Reconciler-Test"] = "example.net 1234"
    for each in (message, with_mark):
        deliver(signing, each)
    found = signing.seen()
    assert found.signatures
    assert len([it for it in signing.people.server.stored() if it.mailbox == ME]) == 3


def deliver(signing: Signing, message: EmailMessage) -> None:
    before = len([*signing.people.server.stored()])
    with smtplib.SMTP(signing.people.server.address, SMTP, "outside.example", timeout=20) as smtp:
        smtp.send_message(message, ME)
    deadline = time.monotonic() + 10
    while len([*signing.people.server.stored()]) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_that_is_a_day_old_is_not_taken_for_today(signing: Signing):
    signing.seen()
    signing.seen(surroundings=signing.surroundings(at=now() + timedelta(hours=23)))
    assert len(signing.messages()) == 1
    signing.seen(surroundings=signing.surroundings(at=now() + timedelta(hours=25)))
    assert len(signing.messages()) == 2


def test_another_key_in_the_planned_zone_is_seen_and_another_message_is_sent_to_make_sure(signing: Signing):
    signing.seen()
    other = signing.key.replace(
        "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA", "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEB"
    )
    assert other != signing.key
    answer = signing.judged(surroundings=signing.surroundings(mx(NEW_MX), txt(other, owner=_OWNER)))
    assert isinstance(answer, Fail)
    assert re.search(
        f"the message that {ME} sent to itself .* UTC is not signed as it has to be: s2 of example.org, "
        "it was not made with the key that will stand in the zone; receivers would refuse",
        answer.why,
    )
    assert len(signing.messages()) == 2


def test_a_zone_that_will_hold_no_key_is_seen(signing: Signing):
    answer = signing.judged(surroundings=signing.surroundings(mx(NEW_MX)))
    assert isinstance(answer, Fail)
    assert "s2 of example.org, s2._domainkey.example.org. will hold no key" in answer.why


def test_a_message_without_a_signature_holds_the_cutover_back(signing: Signing):
    answer = signing.judged(signing.spec("unsigned"))
    assert isinstance(answer, Fail)
    assert f"the message that {ME} sent to itself" in answer.why
    assert "carries no signature" in answer.why


def test_a_signature_by_a_key_that_the_spec_does_not_name_proves_nothing(signing: Signing):
    move = signing.spec().model_copy(update={"new": spec(new={"dkim": ["s3"]}).new})
    answer = signing.judged(move)
    assert isinstance(answer, Fail)
    assert "s2 of example.org, which is no key of new.dkim" in answer.why


def test_a_key_that_nothing_is_signed_with_is_told(signing: Signing):
    move = signing.spec().model_copy(update={"new": spec(new={"dkim": ["s2", "s3"]}).new})
    answer = signing.judged(move)
    assert isinstance(answer, Warn)
    assert "nothing in it is signed with s3, so that nobody knows whether that key works" in answer.why


def test_nothing_is_sent_before_the_mailbox_and_the_key_are_there(signing: Signing):
    no_mailbox = signing.surroundings(world=(mailbox(Place.OLD, ME),))
    answer = signing.judged(surroundings=no_mailbox)
    assert answer == Wait(None, f"first the new server gets the mailbox {ME}; then it can sign a message")
    unknown = txt(reference(Address(Place.NEW, "dkim_key", _OWNER)), owner=_OWNER)
    answer = signing.judged(surroundings=signing.surroundings(unknown))
    assert answer == Wait(None, "first the new server gets the key s2; then it can sign a message")
    assert signing.messages() == []


def test_nothing_is_sent_before_the_way_leads_to_the_cutover_or_after_it(signing: Signing):
    surroundings = signing.surroundings()
    before = dataclasses.replace(surroundings, zones={Stage.OVERLAP: surroundings.zones[Stage.CUTOVER]})
    assert PROBE.gather(signing.spec(), before) is None
    turned = dataclasses.replace(surroundings, observed=state(mx(NEW_MX), mailbox(Place.NEW, ME)))
    assert PROBE.gather(signing.spec(), turned) is None
    assert signing.messages() == []


def test_one_that_does_not_arrive_is_told_with_where_it_was_looked_for(signing: Signing):
    answer = signing.judged(signing.spec("swallows", patience=1))
    assert isinstance(answer, Fail)
    assert f"the message that {ME} sent to itself over mail.new.example:2472 has not arrived in its inbox" in answer.why
    assert "within 1 seconds" in answer.why


def test_a_server_that_lets_nobody_in_is_told(signing: Signing):
    answer = signing.judged(signing.spec("no login"))
    assert isinstance(answer, Fail)
    assert answer.why.endswith("mail.new.example:2473 cannot be used: SMTP AUTH extension not supported by server")


@pytest.mark.parametrize("service", ["submission", "imap"])
def test_a_wrong_password_is_told_and_never_shown(signing: Signing, service: str):
    wrong = "never show this"
    good, bad = signing.surroundings(), signing.surroundings(password=wrong)
    if service == "submission":  # the inbox is entered first
        secrets = [good.secrets, bad.secrets]
        turns = iter([*secrets, bad.secrets, bad.secrets])
        bad = dataclasses.replace(good, secrets=_InTurn(turns))
    answer = signing.judged(surroundings=bad)
    assert isinstance(answer, Fail)
    assert f"refuses the login of {ME}: " in answer.why
    assert wrong not in repr(answer)
    assert signing.messages() == []


class _InTurn:
    """One after the other, as where a password is changed in between."""

    def __init__(self, turns: Iterator[Secrets]) -> None:
        self._turns = turns

    def reveal(self, reference: str):
        return next(self._turns).reveal(reference)


def test_a_password_that_is_not_known_is_told_by_its_reference(signing: Signing):
    answer = signing.judged(signing.spec(password="env:NOT_SET"))
    assert isinstance(answer, Fail)
    assert f"the password of {ME} is not known: env:NOT_SET" in answer.why


def test_a_server_that_nobody_should_trust_is_sent_no_password(signing: Signing):
    answer = signing.judged(signing.spec("self-signed"))
    assert isinstance(answer, Fail)
    told = "mail.new.example:2469 shows a certificate that mail programs refuse: self-signed certificate"
    assert answer.why == f"it is not known how the new server signs: {told}"
    answer = signing.judged(signing.spec("no TLS"))
    assert isinstance(answer, Fail)
    assert "mail.new.example:2470 does not offer STARTTLS" in answer.why
