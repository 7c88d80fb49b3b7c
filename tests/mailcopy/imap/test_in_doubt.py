"""A batch whose answer was lost: whatever else arrives meanwhile, and whoever is killed, no message stands twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.mailcopy.job import State
from tests.fakes.imap_folders import Folder, mails, message
from tests.fakes.imap_oddities import StoresLater
from tests.fakes.imap_server import ORDINARY, ImapServer
from tests.support.examples import examples
from tests.support.mail_move import MailMove, moving

MULTI = f"{ORDINARY} MULTIAPPEND"
SETTLE = timedelta(seconds=10)
LOOKS = 40
"""Pauses of a quarter of a second in the time that a server gets."""
COUNT = 5
LATER = "06-Mar-2024 11:00:00 +0000"

Happening = Callable[["Target"], None]


class Killed(BaseException):
    """The program is killed."""


class Target:
    """The new server, to which things happen at one look or another."""

    def __init__(self, odd: StoresLater, happenings: dict[int, list[Happening]], killed_at: int | None = None) -> None:
        self.odd, self.happenings, self.killed_at = odd, happenings, killed_at
        self.looks = 0
        self.arrived: set[int] = set()

    def attach(self, move: MailMove) -> None:
        self.move, self.inbox = move, move.new.folders[b"INBOX"]
        move.settle, move.nap = SETTLE, self.nap

    def nap(self, seconds: float) -> None:
        """Between two looks, once the connection was lost."""
        self.move.clock.advance(seconds)
        self.happen(self.looks)
        self.looks += 1
        if self.looks == self.killed_at:
            raise Killed

    def happen(self, look: int) -> None:
        """What was to happen at that look."""
        with self.move.new.lock:
            for happening in self.happenings.pop(look, ()):
                happening(self)

    def others(self) -> None:
        """As many messages as the batch has, of which the source knows nothing."""
        for number in range(COUNT):
            self.inbox.take("", LATER, message(900 + number))

    def original(self, number: int) -> None:
        """The sender wrote to the new address, too: it came another way."""
        self.arrived.add(number)
        self.inbox.take("", LATER, b"Received: from another way\r\n" + message(number))

    def forwarded(self, number: int) -> None:
        """The forward filter of the old server has sent it on."""
        self.arrived.add(number)
        self.inbox.take("", LATER, b"Received: by the old server\r\nX-Sieve: yes\r\n" + message(number))

    def standing(self) -> list[int]:
        """How often each message of the source stands there, but for what has come of it another way."""
        bodies = [mail.body for mail in self.inbox.mails]
        return [sum(body == message(n) for body in bodies) for n in range(1, COUNT + 1)]


def carried_out(target: Target, capabilities: str) -> tuple[list[int], State]:
    """Passes until one is done: how often each message stands there."""
    old = ImapServer({b"INBOX": Folder(mails(COUNT))})
    with moving(old, ImapServer({}, target.odd, capabilities=capabilities)) as move:
        target.attach(move)
        try:
            report = move.copy()
        except Killed:
            target.killed_at = None
            report = move.copy()
        for look in sorted(target.happenings):
            target.happen(look)  # nobody waited for it
        assert move.copy().tally.new == 0
        assert not move.new.heard("EXPUNGE")
        return target.standing(), report.state


happenings = st.dictionaries(
    st.integers(0, LOOKS - 2),
    st.lists(
        st.one_of(
            st.just(Target.others),
            st.builds(lambda n: lambda at: at.original(n), st.integers(1, COUNT)),
            st.builds(lambda n: lambda at: at.forwarded(n), st.integers(1, COUNT)),
        ),
        min_size=1,
        max_size=2,
    ),
    max_size=4,
)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from([ORDINARY, MULTI]),
    st.integers(1, COUNT),
    st.none() | st.integers(0, LOOKS - 2),
    st.none() | st.integers(1, LOOKS // 2),
    happenings,
)
def test_in_whatever_order_things_arrive_no_message_of_a_batch_in_doubt_stands_twice(
    capabilities: str, reads: int, stored_at: int | None, killed_at: int | None, others: dict[int, list[Happening]]
) -> None:
    odd = StoresLater(reads=reads)
    if stored_at is not None:
        others = {**others, stored_at: [*others.get(stored_at, ()), lambda at: at.odd.store(at.inbox)]}
    target = Target(odd, others, killed_at)
    standing, state = carried_out(target, capabilities)
    event("stored later" if stored_at is not None else "lost")
    assert state is State.DONE
    assert all(times == 1 or (times == 0 and number in target.arrived) for number, times in enumerate(standing, 1))


@pytest.mark.parametrize("capabilities", [ORDINARY, MULTI])
@pytest.mark.parametrize("stored_at", [0, 1, 20, LOOKS - 2])
def test_ordinary_deliveries_are_not_taken_for_the_batch(capabilities: str, stored_at: int) -> None:
    happenings: dict[int, list[Happening]] = {0: [Target.others]}
    happenings.setdefault(stored_at, []).append(lambda at: at.odd.store(at.inbox))
    target = Target(StoresLater(reads=COUNT), happenings)
    assert carried_out(target, capabilities) == ([1] * COUNT, State.DONE)


def test_a_batch_that_is_seen_is_waited_for_no_longer() -> None:
    target = Target(StoresLater(reads=COUNT), {2: [lambda at: at.odd.store(at.inbox)]})
    assert carried_out(target, MULTI)[0] == [1] * COUNT
    assert target.looks == 3


def test_a_server_that_stores_the_batch_in_parts_gets_its_time_for_the_rest() -> None:
    parts: dict[int, list[Happening]] = {n: [lambda at: at.odd.store(at.inbox, 1)] for n in range(0, 10 * COUNT, 9)}
    target = Target(StoresLater(reads=COUNT), {n: part for n, part in parts.items() if n < LOOKS - 1})
    assert carried_out(target, ORDINARY)[0] == [1] * COUNT


def test_two_batches_in_doubt_are_told_apart() -> None:
    target = Target(StoresLater(reads=COUNT, cuts=2), {5: [lambda at: at.odd.store(at.inbox, COUNT)]})
    assert carried_out(target, MULTI)[0] == [1] * COUNT
