"""Mail that arrives while its folder is being listed belongs to the next pass, and makes this one no failure."""

import re
from itertools import count
from time import sleep

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.job import Means, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon

LISTED = re.compile(rb"R\d+ OK List completed")
NUMBERS = count(1_700_000_000)
FETCHED = re.compile(rb"(R\d+ OK Fetch completed)")


def test_a_message_that_is_told_of_after_the_listing_is_left_to_the_next_pass(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 31, 30, ((),))
    told: list[bool] = []

    def announce(octets: bytes) -> bytes:
        if told:
            return octets
        changed = FETCHED.sub(rb"* 31 EXISTS\r\n\1", octets, count=1)
        told.extend([True] if changed != octets else [])
        return changed

    with Proxy(old.port, edit=announce) as proxy:
        report = copy_mailbox(
            copying(endpoint(old, user, port=proxy.own_port), endpoint(new, user)), Means(ledger, RealClock())
        )
    assert told
    assert (report.state, report.tally.count, report.tally.waiting) == (State.DONE, 30, 0)
    assert report.tally.balanced
    assert new.seen(user) == expected(old.seen(user))


def test_what_is_forwarded_while_a_pass_begins_is_not_copied_beside_its_original(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    letter = b"Message-ID: <forwarded@x>\nFrom: a@example.org\nSubject: hello\n\nbody\n"
    fill(old, user, 32, 5, ((),))
    copy_mailbox(copying(endpoint(old, user), endpoint(new, user)), Means(ledger, RealClock()))
    deliver(old, user, b"Message-ID: <another@x>\n\nanother\n")
    surveyed: list[bool] = []

    def comes(octets: bytes) -> bytes:
        """Delivered on the new server and sent on to the old one, after both were asked where they stand."""
        if LISTED.search(octets) and not surveyed:
            surveyed.append(True)
            sleep(0.5)  # the other side is asked at the same time
            deliver(new, user, b"Received: by new\n" + letter)
            deliver(old, user, b"Received: by old\nReceived: by new\n" + letter)
        return octets

    with Proxy(old.port, edit=comes) as proxy:
        report = copy_mailbox(
            copying(endpoint(old, user, port=proxy.own_port), endpoint(new, user)), Means(ledger, RealClock())
        )
    assert surveyed
    assert (report.state, report.tally.new, report.tally.recognised) == (State.DONE, 2, 1)
    assert sum(new.seen(user).values()) == 7


def deliver(server: Dovecot, user: str, content: bytes) -> None:
    file = server.maildir(user) / "new" / f"{next(NUMBERS)}.delivered.host"
    file.write_bytes(content)
    server.own(server.maildir(user))
