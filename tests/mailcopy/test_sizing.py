from dataclasses import replace

import pytest

from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.session import session
from reconciler.mailcopy.sizing import measure, measure_all
from tests.fakes.gmail import Gmail
from tests.fakes.gmail_store import Mailbox
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import copying, endpoint, fill
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon


@pytest.fixture
def filled(old: Dovecot, user: str) -> tuple[int, int]:
    """Messages and octets as doveadm counts them."""
    fill(old, user, 5, 30)
    row = old.doveadm("-f", "tab", "mailbox", "status", "-t", "-u", user, "messages vsize", "*").splitlines()[-1]
    messages, octets = row.split("\t")
    return int(messages), int(octets)


def test_a_server_that_knows_sizes_is_asked_for_them(old: Dovecot, user: str, filled: tuple[int, int]) -> None:
    end = endpoint(old, user)
    with session(end.server, end.login) as opened:
        assert opened.can("STATUS=SIZE")
        assert measure(opened) == filled


def test_of_any_other_server_all_messages_are_added_up(old: Dovecot, user: str, filled: tuple[int, int]) -> None:
    with Proxy(old.port, edit=lambda octets: octets.replace(b"STATUS=SIZE", b"STATUS=SIZX")) as proxy:
        end = endpoint(old, user, port=proxy.own_port)
        with session(end.server, end.login) as opened:
            assert not opened.can("STATUS=SIZE")
            assert measure(opened) == filled


def test_what_gmail_shows_several_times_counts_once() -> None:
    box = Mailbox("Work")
    body = b"Message-ID: <1@x>\r\n\r\n" + b"x" * 1000
    box.put(body, "\\Inbox", "Work", "\\Important")
    box.move(box.put(body), "[Gmail]/Trash")
    gmail = Gmail(ann=box)
    try:
        end = endpoint(gmail, "ann")
        with session(end.server, end.login) as opened:
            assert measure(opened) == (2, 2 * len(body))
    finally:
        gmail.stop()


def test_a_mailbox_that_cannot_be_entered_has_no_size_and_stops_no_other(
    old: Dovecot, user: str, filled: tuple[int, int]
) -> None:
    def copy(account: str, password: str | None = None) -> MailboxCopy:
        end = endpoint(old, user, password=password)
        made = copying(end, end)
        return replace(made, key=made.key._replace(account=account))

    assert measure_all([copy("good"), copy("locked out", "wrong")], 2) == {"good": filled}
    assert measure_all([copy("good")], 2, stop=lambda: True) == {}
