"""Mail that arrives while its folder is being listed belongs to the next pass, and makes this one no failure."""

import re

import pytest

from reconciler.backends.mail.copy import copy_mailbox
from reconciler.backends.mail.job import Means, State
from reconciler.journal.ledger import SqlLedger
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon

FETCHED = re.compile(rb"(R\d+ OK Fetch completed)")


def test_a_message_that_is_told_of_after_the_listing_is_left_to_the_next_pass(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 31, 30, ((),))
    told = []

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
