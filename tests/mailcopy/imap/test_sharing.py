from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from threading import Event

import pytest

from reconciler.errors import ConnectionCut, SecretError
from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.sharing import is_much, shares, side_by_side
from reconciler.mailcopy.imap.work import Work
from reconciler.mailcopy.job import MailboxReport, Means, Patience, Progress, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.mailcopy.model.message import Row
from reconciler.model.secret import Secret
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill
from tests.lab.proxy import Proxy
from tests.support.listening import on_progress

MUCH = 700  # messages, for which a second pair of connections is opened


def means(ledger: SqlLedger, **others) -> Means:
    patience = Patience(attempts=30, settle=Patience().settle / 8)
    return Means(ledger, RealClock(), patience=patience, second=lambda: nullcontext(True), **others)


class Counting(Proxy):
    """Counts the logins that came this way."""

    logins = 0

    def heard(self, octets: bytes) -> None:
        self.logins += octets.count(b" LOGIN ")


@pytest.mark.daemon
def test_a_big_mailbox_is_carried_over_two_connections_to_each_server(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 61, MUCH)
    with Counting(old.port) as source, Counting(new.port) as target:
        copy = copying(endpoint(old, user, port=source.own_port), endpoint(new, user, port=target.own_port))
        report = copy_mailbox(copy, means(ledger))
        assert (source.logins, target.logins) == (2, 2)
        assert (report.state, report.tally.balanced) == (State.DONE, True)
        again = copy_mailbox(copy, means(ledger))
        assert (source.logins, target.logins) == (3, 3)
    assert (again.tally.new, again.state) == (0, State.DONE)
    assert new.seen(user) == expected(old.seen(user), {"Sent Items": "Sent"})


@pytest.mark.daemon
def test_both_lines_cut_again_and_again(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 62, MUCH)
    with (
        Proxy(old.port, cut_after=900_000, cut_side="down", cuts=3) as source,
        Proxy(new.port, cut_after=600_000, cuts=5) as target,
    ):
        copy = copying(endpoint(old, user, port=source.own_port), endpoint(new, user, port=target.own_port))
        report = copy_mailbox(copy, means(ledger, sleep=lambda _: None))
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    assert new.seen(user) == expected(old.seen(user), {"Sent Items": "Sent"})


@pytest.mark.daemon
def test_where_no_second_login_is_to_be_had_the_first_pair_carries_all(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 63, MUCH)
    asked: list[Secret] = []

    def once() -> Secret:
        asked.append(Secret(f"pw-{user}"))
        if len(asked) > 1:
            raise SecretError("the vault is closed")
        return asked[0]

    copy = copying(replace(endpoint(old, user), login=OwnPassword(user, once)), endpoint(new, user))
    report = copy_mailbox(copy, means(ledger))
    assert len(asked) == 2
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    assert new.seen(user) == expected(old.seen(user), {"Sent Items": "Sent"})


@pytest.mark.daemon
def test_whoever_stops_one_pair_stops_the_other(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    """Stopped by the word of any of them; the next pass goes on from there."""
    fill(old, user, 64, MUCH)
    copy = copying(endpoint(old, user), endpoint(new, user))

    class Stopped(Exception):  # noqa: N818 - as the command line does it
        pass

    def stop(progress: Progress) -> None:
        if progress.state is State.COPYING:
            raise Stopped

    with pytest.raises(Stopped):
        copy_mailbox(copy, means(ledger, events=on_progress(stop)))
    report: MailboxReport = copy_mailbox(copy, means(ledger))
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    assert new.seen(user) == expected(old.seen(user), {"Sent Items": "Sent"})


@pytest.mark.daemon
def test_a_second_pair_is_given_back(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 65, MUCH)
    held: list[str] = []

    @contextmanager
    def second() -> Iterator[bool]:
        held.append("taken")
        yield True
        held.append("given back")

    copy_mailbox(copying(endpoint(old, user), endpoint(new, user)), replace(means(ledger), second=second))
    assert held == ["taken", "given back"]


def test_the_one_that_failed_first_is_told() -> None:
    stopped = Event()

    def first() -> bool:
        stopped.wait(10)
        raise ConnectionCut("hung up", "")

    def second() -> bool:
        raise SecretError("the reason")

    with pytest.raises(SecretError, match="the reason"):
        side_by_side(first, second, stopped.set)
    assert side_by_side(lambda: False, lambda: True, stopped.set)
    assert not side_by_side(lambda: False, lambda: False, stopped.set)


def test_nothing_to_do_is_one_share_of_nothing() -> None:
    assert shares([]) == [[]]


def work(source: bytes, target: bytes, messages: int) -> Work:
    folder = Folder(source, (source.decode(),))
    mapped = Mapped(folder, (target.decode(),), target, exists=True, why="")
    made = Work(mapped, FolderState(1, source, 1, target, 1), Status(messages, 1, 1, 0), Status(0, 1, 1, 0), False)
    made.missing = [Row(uid, "", "", 1000) for uid in range(messages)]
    return made


def test_the_shares_are_about_equal_and_what_goes_into_one_folder_stays_together() -> None:
    works = [work(b"a", b"x", 300), work(b"b", b"y", 350), work(b"c", b"x", 100), work(b"d", b"z", 90)]
    assert [[each.title for each in share] for share in shares(works)] == [["a", "c"], ["b", "d"]]
    assert is_much(works)
    assert not is_much(works[3:])
    assert not is_much([works[0], works[2], work(b"e", b"x", 900)])
    assert shares(works[3:]) == [works[3:]]
    idle = work(b"f", b"f", 0)
    assert shares([works[0], idle]) == [[works[0], idle]]
