"""Lost lines and killed servers: no message lost, none twice, whatever the moment."""

import multiprocessing
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.job import MailboxReport, Means, Patience, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copy_in_a_process, copying, endpoint, expected, fill
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon

PLAIN = ((), ("Work",))
SOON = Patience(attempts=4, settle=timedelta(seconds=1.5))


def run(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, **ports: int) -> MailboxReport:
    source = endpoint(old, user, port=ports.get("source"))
    target = endpoint(new, user, port=ports.get("target"))
    return copy_mailbox(copying(source, target), Means(ledger, RealClock(), patience=SOON, sleep=lambda _: sleep(0.05)))


def octets_of_a_copy(old: Dovecot, new: Dovecot, user: str, side: str) -> dict[str, int]:
    port = old.port if side == "source" else new.port
    with Proxy(port) as proxy:
        run(old, new, user, SqlLedger("sqlite://", RealClock()), **{side: proxy.own_port})
        return dict(proxy.passed)


@pytest.mark.parametrize(
    ("side", "direction"), [("target", "up"), ("target", "down"), ("source", "up"), ("source", "down")]
)
def test_a_line_cut_after_any_number_of_octets(
    side: str, direction: str, old: Dovecot, new: Dovecot, user: str
) -> None:
    fill(old, user, 21, 30, PLAIN)
    want = expected(old.seen(user))
    whole = octets_of_a_copy(old, new, user, side)[direction]
    for step in range(24):
        for folder in ("INBOX", "Work"):
            new.doveadm("expunge", "-u", user, "mailbox", folder, "ALL")
        ledger = SqlLedger("sqlite://", RealClock())
        port = old.port if side == "source" else new.port
        with Proxy(port, cut_after=max(1, whole * step // 23 - step % 3), cut_side=direction) as proxy:
            report = run(old, new, user, ledger, **{side: proxy.own_port})
        assert report.state is State.DONE, (step, report)
        assert report.tally.balanced
        assert new.seen(user) == want, step
        ledger.close()


@pytest.mark.parametrize("back", range(1, 14, 2))
def test_a_line_cut_at_the_very_end_of_a_batch(back: int, old: Dovecot, new: Dovecot, user: str) -> None:
    fill(old, user, 22, 20, ((),))
    want = expected(old.seen(user))
    whole = octets_of_a_copy(old, new, user, "target")["up"] - len(b"R10 LOGOUT\r\n")
    new.doveadm("expunge", "-u", user, "mailbox", "INBOX", "ALL")
    with Proxy(new.port, cut_after=whole - back + 4) as proxy:
        report = run(old, new, user, SqlLedger("sqlite://", RealClock()), target=proxy.own_port)
    assert report.state is State.DONE
    assert new.seen(user) == want


def test_our_own_process_killed_again_and_again(old: Dovecot, new: Dovecot, user: str, tmp_path: Path) -> None:
    fill(old, user, 28, 900, PLAIN)
    place = f"sqlite:///{tmp_path}/killed.db"
    spawn = multiprocessing.get_context("spawn")
    killed = 0
    with Proxy(new.port, delay=0.01) as proxy:
        for limit in (3_000, 200_000, 700_000, 500_000, 900_000, None):
            before = proxy.passed["up"]
            child = spawn.Process(target=copy_in_a_process, args=(old.port, proxy.own_port, user, place))
            child.start()
            while child.is_alive():
                if limit is not None and proxy.passed["up"] - before > limit:
                    child.kill()
                    killed += 1
                    break
                sleep(0.001)
            child.join()
            assert limit is not None or child.exitcode == 0
    assert killed >= 3  # what was on its way when a child died may have been all that was left
    assert new.seen(user) == expected(old.seen(user))


def test_a_server_killed_in_the_middle_of_a_batch(old: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 23, 400, PLAIN)
    fragile = Dovecot("fragile")
    fragile.add_user(user)
    fragile.start()

    def kill(octets: bytes) -> bytes:
        if b"+ OK\r\n" in octets and b"kill" not in done:
            done.append(b"kill")
            Thread(target=again).start()
        return octets

    def again() -> None:
        fragile.kill()
        sleep(0.3)
        fragile.start()

    done: list[bytes] = []
    try:
        with Proxy(fragile.port, edit=kill) as proxy:
            copy = copying(endpoint(old, user), endpoint(fragile, user, port=proxy.own_port))
            means = Means(
                ledger, RealClock(), patience=Patience(attempts=30, settle=SOON.settle), sleep=lambda _: sleep(0.2)
            )
            report = copy_mailbox(copy, means)
        assert done
        assert report.state is State.DONE
        assert fragile.seen(user) == expected(old.seen(user))
    finally:
        fragile.remove()


def without(*capabilities: bytes) -> Callable[[bytes], bytes]:
    """A server that announces less than it can; the words keep their length."""

    def edit(octets: bytes) -> bytes:
        for capability in capabilities:
            octets = octets.replace(capability, b"X" + capability[1:])
        return octets

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        without(b"MULTIAPPEND"),
        without(b"LITERAL+"),
        without(b"MULTIAPPEND", b"LITERAL+"),
        lambda octets: octets.replace(b"LITERAL+", b"LITERAL-"),
        lambda octets: without(b"MULTIAPPEND")(octets).replace(b"LITERAL+", b"LITERAL-"),
        without(b"APPENDUID"),
        without(b"LIST-STATUS", b"NAMESPACE", b"SPECIAL-USE"),
    ],
    ids=["single", "multi-sync", "single-sync", "multi-minus", "single-minus", "no-uidplus", "no-list-status"],
)
def test_servers_that_can_do_less(
    edit: Callable[[bytes], bytes], old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 24, 120)
    with Proxy(new.port, edit=edit) as proxy:
        report = run(old, new, user, ledger, target=proxy.own_port)
        assert (report.state, report.tally.balanced) == (State.DONE, True)
        assert new.seen(user) == expected(old.seen(user), {"Sent Items": "Sent"})
        old.doveadm("flags", "add", "-u", user, "\\Flagged", "mailbox", "INBOX", "ALL")
        assert run(old, new, user, ledger, target=proxy.own_port).tally.new == 0
    assert new.seen(user) == expected(old.seen(user), {"Sent Items": "Sent"})


def test_a_source_without_condstore_has_its_flags_compared(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 25, 60, PLAIN)
    with Proxy(old.port, edit=without(b"CONDSTORE", b"LIST-STATUS", b"HIGHESTMODSEQ")) as proxy:
        run(old, new, user, ledger, source=proxy.own_port)
        old.doveadm("flags", "add", "-u", user, "\\Flagged", "mailbox", "INBOX", "1:7")
        assert run(old, new, user, ledger, source=proxy.own_port).state is State.DONE
    assert new.seen(user) == expected(old.seen(user))


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_line_cut_between_single_appends(direction: str, old: Dovecot, new: Dovecot, user: str) -> None:
    fill(old, user, 26, 30, ((),))
    want = expected(old.seen(user))
    whole = octets_of_a_copy(old, new, user, "target")[direction]
    for step in range(6):
        new.doveadm("expunge", "-u", user, "mailbox", "INBOX", "ALL")
        cut = whole * (step + 1) // 7
        edit = without(b"MULTIAPPEND")
        with Proxy(new.port, cut_after=cut, cut_side=direction, edit=edit) as proxy:
            report = run(old, new, user, SqlLedger("sqlite://", RealClock()), target=proxy.own_port)
        assert report.state is State.DONE
        assert new.seen(user) == want, step


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"NO [LIMIT] Too many messages", State.DONE),
        (b"NO Request is throttled. Suggested Backoff Time: 100 milliseconds", State.DONE),
        (b"NO [OVERQUOTA] Mailbox is full", State.FULL),
    ],
)
def test_what_a_server_says_instead_of_ok(
    answer: bytes, state: State, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """The batch is refused once at its very beginning; nothing is stored of it."""
    fill(old, user, 27, 30, ((),))
    done: list[bytes] = []

    def edit(octets: bytes) -> bytes:
        if b"+ OK\r\n" in octets and not done:
            done.append(octets)
            return octets.replace(b"+ OK\r\n", last[0] + b" " + answer + b"\r\n")
        return octets

    last = [b"R0"]
    with Recording(new.port, edit=edit, last=last) as proxy:
        report = run(old, new, user, ledger, target=proxy.own_port)
    assert done
    assert report.state is state
    again = run(old, new, user, ledger)
    assert again.state is State.DONE
    assert new.seen(user) == expected(old.seen(user))


@pytest.mark.parametrize("status", [b"NO", b"BAD"])
def test_a_source_that_was_asked_too_much_is_asked_again_later_and_refuses_no_message(
    status: bytes, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """Exchange throttles a FETCH in the middle of a folder, with either answer."""
    fill(old, user, 28, 40, ((),))
    done: list[bytes] = []

    def edit(octets: bytes) -> bytes:
        if b" OK Fetch completed" in octets and b"BODY[]" in octets and not done:
            head, _, rest = octets.rpartition(b" OK Fetch completed")
            done.append(rest)
            return head + b" " + status + b" Request is throttled. Suggested Backoff Time: 50 milliseconds\r\n"
        return octets

    with Proxy(old.port, edit=edit) as proxy:
        report = run(old, new, user, ledger, source=proxy.own_port)
    assert done
    assert (report.state, report.refusals) == (State.DONE, ())
    assert new.seen(user) == expected(old.seen(user))


def test_a_login_that_opens_no_mailbox_is_a_lost_one(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    """As Exchange Online says it of a mailbox that an application has no rights to."""
    fill(old, user, 31, 5, ((),))

    def edit(octets: bytes) -> bytes:
        if b" OK List completed" not in octets:
            return octets
        tag = octets.rpartition(b" OK List completed")[0].rpartition(b"\n")[2]
        return tag + b" BAD User is authenticated but not connected.\r\n"

    with Proxy(old.port, edit=edit) as proxy:
        report = run(old, new, user, ledger, source=proxy.own_port)
    assert (report.state, report.accounts) == (State.AUTH_LOST, ())
    assert "may this login open it" in report.words


def test_headers_that_a_target_refuses_once_make_no_duplicate_where_the_ledger_is_lost(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, tmp_path: Path
) -> None:
    fill(old, user, 29, 40, ((),))
    run(old, new, user, ledger)
    there = new.seen(user)
    done: list[bytes] = []

    def edit(octets: bytes) -> bytes:
        if b"HEADER.FIELDS" in octets and b" OK Fetch completed" in octets and not done:
            done.append(octets)
            tag = octets.rpartition(b" OK Fetch completed")[0].rpartition(b"\n")[2]
            return tag + b" NO [SERVERBUG] Internal error occurred\r\n"
        return octets

    other = SqlLedger(f"sqlite:///{tmp_path}/other.db", RealClock())
    with Proxy(new.port, edit=edit) as proxy:
        report = run(old, new, user, other, target=proxy.own_port)
    other.close()
    assert done
    assert (report.state, report.tally.recognised, report.tally.octets) == (State.DONE, report.tally.copied, 0)
    assert new.seen(user) == there


def test_a_source_that_does_not_list_its_messages_loses_none_as_vanished(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 30, 20, ((),))
    run(old, new, user, ledger)
    old.doveadm("expunge", "-u", user, "mailbox", "INBOX", "1:3")
    done: list[bytes] = []

    def edit(octets: bytes) -> bytes:
        if re.search(rb"FETCH \(UID \d+\)\r\n", octets) and b" OK Fetch completed" in octets and not done:
            done.append(octets)
            tag = octets.rpartition(b" OK Fetch completed")[0].rpartition(b"\n")[2]
            return tag + b" NO [SERVERBUG] Internal error occurred\r\n"
        return octets

    with Proxy(old.port, edit=edit) as proxy:
        report = run(old, new, user, ledger, source=proxy.own_port)
    assert done
    assert (report.state, report.tally.waiting, report.tally.balanced) == (State.DONE, 0, True)
    assert report.tally.copied + report.tally.refused == 17


def test_flags_that_the_target_refuses_are_told_and_tried_again(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 29, 40, PLAIN)
    run(old, new, user, ledger)
    old.doveadm("flags", "add", "-u", user, "fresh", "mailbox", "INBOX", "ALL")

    def refuse(octets: bytes) -> bytes:
        return octets.replace(b"OK Store completed", b"NO Store not allowed")

    with Proxy(new.port, edit=refuse) as proxy:
        report = run(old, new, user, ledger, target=proxy.own_port)
    assert report.state is State.PARTLY
    assert [refusal.words.partition(" (")[0] for refusal in report.refusals] == ["flags: Store not allowed"]
    new.doveadm("flags", "remove", "-u", user, "fresh", "mailbox", "INBOX", "ALL")
    assert run(old, new, user, ledger).state is State.DONE
    assert new.seen(user) == expected(old.seen(user))


class Recording(Proxy):
    """Remembers the tag of the last command."""

    def __init__(self, port: int, edit: Callable[[bytes], bytes], last: list[bytes]) -> None:
        super().__init__(port, edit=edit)
        self.last = last

    def heard(self, octets: bytes) -> None:
        for line in octets.splitlines():
            if line.startswith(b"R") and b" APPEND " in line:
                self.last[0] = line.split(b" ")[0]
