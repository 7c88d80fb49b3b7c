"""Servers that are full, busy, changed or closed in the middle: a clear state, and the next pass brings the rest."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.imap.login import MasterUser, OwnPassword
from reconciler.mailcopy.job import MailboxReport, Means, Patience, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.model.secret import Secret
from tests.lab.cyrus import Cyrus
from tests.lab.dovecot import MASTER, Dovecot, Seen
from tests.lab.imap_client import logged_in, seen
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon

PLAIN = ((), ("Work",))


def bring(ledger: SqlLedger, source: Endpoint, target: Endpoint, naps: list[float] | None = None) -> MailboxReport:
    """Waiting is noted, not done; a batch in doubt gets a second."""
    slept = [] if naps is None else naps
    means = Means(ledger, RealClock(), patience=Patience(attempts=3, settle=timedelta(seconds=1)), sleep=slept.append)
    return copy_mailbox(copying(source, target), means)


class Hooked(Proxy):
    """Knows the tag of the last command of a kind, and what the client said."""

    def __init__(self, port: int, command: bytes, edit: Callable[[bytes, bytes], bytes]) -> None:
        super().__init__(port, edit=lambda octets: edit(octets, self.tag))
        self._command = re.compile(rb"(?m)^(R\d+) " + command)
        self.tag = b""

    def heard(self, octets: bytes) -> None:
        for tag in self._command.findall(octets):
            self.tag = self.tag or tag


def once(when: bytes, answer: Callable[[bytes], bytes]) -> Callable[[bytes, bytes], bytes]:
    """The first octets that begin or hold ``when`` become the answer; it is given the tag."""
    done: list[bytes] = []

    def edit(octets: bytes, tag: bytes) -> bytes:
        if done or not tag or when not in octets:
            return octets
        done.append(tag)
        return answer(tag)

    return edit


@pytest.fixture
def tight() -> Iterator[Dovecot]:
    """A target whose file system holds a megabyte."""
    made = Dovecot("tight")
    mail = made.root / "mail"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", mail], check=True)
    shutil.chown(mail, "mail", "mail")
    made.add_user("ann")
    try:
        yield made.start()
    finally:
        made.stop()
        subprocess.run(["umount", "-l", mail], check=True)
        made.remove()


def test_a_full_disk_stops_the_mailbox_and_room_lets_it_go_on(
    tight: Dovecot, old: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 61, 400, PLAIN)
    report = bring(ledger, endpoint(old, user), endpoint(tight, "ann"))
    assert report.state in {State.FULL, State.FAILED}, report
    assert "[SERVERBUG]" in report.words or "space" in report.words  # Dovecot's own, which names no reason
    subprocess.run(["mount", "-o", "remount,size=100m", tight.root / "mail"], check=True)
    assert not tight.seen("ann") - expected(old.seen(user))
    again = bring(ledger, endpoint(old, user), endpoint(tight, "ann"))
    assert (again.state, again.tally.copied, again.tally.balanced) == (State.DONE, 400, True)
    assert tight.seen("ann") == expected(old.seen(user))


def test_a_quota_of_cyrus_stops_the_mailbox_and_room_lets_it_go_on(old: Dovecot, user: str, ledger: SqlLedger) -> None:
    (old.maildir(user) / "cur").mkdir(parents=True)
    for number in range(40):
        file = old.maildir(user) / "cur" / f"{number}.q.h:2,S"
        file.write_bytes(b"Message-ID: <%d@x>\nSubject: s\n\n%s\n" % (number, b"x" * 20_000))
    old.own(old.maildir(user))
    cyrus = Cyrus("quota", extra="admins: cyr")
    for name in ("cyr", "ann"):
        cyrus.add_user(name)
    cyrus.start()
    try:
        with logged_in(cyrus.port, "ann") as client:
            client.select()
        with logged_in(cyrus.port, "cyr") as client:
            assert client.setquota("user.ann", "(STORAGE 300)")[0] == "OK"
        report = bring(ledger, endpoint(old, user), endpoint(cyrus, "ann"))
        assert report.state is State.FULL
        assert "uota" in report.words
        with logged_in(cyrus.port, "cyr") as client:
            assert client.setquota("user.ann", "(STORAGE 30000)")[0] == "OK"
        again = bring(ledger, endpoint(old, user), endpoint(cyrus, "ann"))
        assert (again.state, again.tally.copied) == (State.DONE, 40)
        with logged_in(cyrus.port, "ann") as client:
            assert seen(client) == old.seen(user)
    finally:
        cyrus.remove()


@pytest.mark.parametrize(
    "said",
    [
        b"NO Request is throttled. Suggested Backoff Time: 100 milliseconds",
        b"NO [LIMIT] Too much",
        b"NO [UNAVAILABLE] Try again later",
        b"NO [SERVERBUG] Internal error occurred",
        b"NO [INUSE] Mailbox is locked",
    ],
)
def test_a_source_that_throttles_a_fetch_is_asked_again(
    said: bytes, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 62, 30, PLAIN)
    edit = once(b" FETCH (UID 1 BODY[]", lambda tag: tag + b" " + said + b"\r\n")
    with Hooked(old.port, rb"UID FETCH \S+ \(UID BODY.PEEK\[\]", edit) as proxy:
        report = bring(ledger, endpoint(old, user, port=proxy.own_port), endpoint(new, user))
        assert proxy.tag
    assert (report.state, report.tally.copied, report.tally.refused) == (State.DONE, 30, 0), report
    assert new.seen(user) == expected(old.seen(user))


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("command", [rb"(?:EXAMINE|SELECT) ", rb"UID FETCH ", rb"LIST ", rb"STATUS ", rb"APPEND "])
def test_a_bye_at_any_moment_is_a_pause_and_no_loss(
    side: str, command: bytes, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 63, 20, PLAIN)
    port = old.port if side == "source" else new.port
    naps: list[float] = []
    edit = once(
        b"", lambda _: b"* BYE Disconnected: too many connections, Suggested Backoff Time: 7000 milliseconds\r\n"
    )
    with Hooked(port, command, edit) as proxy:
        source = endpoint(old, user, port=proxy.own_port if side == "source" else None)
        target = endpoint(new, user, port=proxy.own_port if side == "target" else None)
        report = bring(ledger, source, target, naps)
        heard = proxy.tag
    assert (report.state, report.tally.copied, report.tally.balanced) == (State.DONE, 20, True), report
    assert new.seen(user) == expected(old.seen(user))
    assert (7.0 in naps) == bool(heard)


def test_a_server_that_lets_nobody_in_for_a_while_has_lost_no_login(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 64, 10, PLAIN)
    refused: list[bytes] = []

    def busy(octets: bytes) -> bytes:
        if b"Logged in" not in octets or len(refused) > 1:
            return octets
        refused.append(octets)
        no = rb"\1 NO [UNAVAILABLE] Temporary authentication failure, try again later\r\n"
        return re.sub(rb"(?m)^(\w+) OK .*Logged in.*\r\n", no, octets)

    with Proxy(old.port, edit=busy) as proxy:
        report = bring(ledger, endpoint(old, user, port=proxy.own_port), endpoint(new, user))
    assert len(refused) == 2
    assert (report.state, report.tally.copied) == (State.DONE, 10)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_password_that_changes_in_the_middle_is_auth_lost_and_nothing_comes_twice(
    side: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 65, 120, PLAIN)
    server = old if side == "source" else new
    passwords = iter([f"pw-{user}", *["was-right-before"] * 9])
    login = OwnPassword(user, lambda: Secret(next(passwords)))
    with Proxy(server.port, cut_after=60_000, cut_side="down" if side == "source" else "up") as proxy:
        changed = replace(endpoint(server, user, port=proxy.own_port), login=login)
        ends = (changed, endpoint(new, user)) if side == "source" else (endpoint(old, user), changed)
        report = bring(ledger, *ends)
    assert report.state is State.AUTH_LOST
    assert "was-right-before" not in report.words
    assert not new.seen(user) - expected(old.seen(user))
    again = bring(ledger, endpoint(old, user), endpoint(new, user))
    assert (again.state, again.tally.copied, again.tally.balanced) == (State.DONE, 120, True)
    assert new.seen(user) == expected(old.seen(user))


def make_anew(server: Dovecot, user: str) -> None:
    server.doveadm("mailbox", "delete", "-u", user, "Work")
    server.doveadm("mailbox", "create", "-u", user, "Work")


def renumber(server: Dovecot, user: str) -> None:
    server.doveadm("mailbox", "update", "-u", user, "--uid-validity", "4712", "Work")


def rename(server: Dovecot, user: str) -> None:
    server.doveadm("mailbox", "rename", "-u", user, "Work", "Elsewhere")


def delete(server: Dovecot, user: str) -> None:
    server.doveadm("mailbox", "delete", "-u", user, "Work")


@pytest.mark.parametrize("change", [make_anew, renumber, rename, delete])
@pytest.mark.parametrize("moment", [b"* LIST ", b" FETCH (UID 1 FLAGS", b" FETCH (UID 1 BODY[]"])
def test_a_source_folder_that_changes_in_the_middle_loses_nothing_that_is_still_there(
    moment: bytes, change: Callable[[Dovecot, str], None], old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 66, 60, PLAIN)
    before = expected(old.seen(user))
    done: list[bytes] = []

    def edit(octets: bytes) -> bytes:
        if moment in octets and not done:
            done.append(octets)
            change(old, user)
        return octets

    with Proxy(old.port, edit=edit) as proxy:
        report = bring(ledger, endpoint(old, user, port=proxy.own_port), endpoint(new, user))
    assert done
    assert report.tally.balanced
    assert report.state in {State.DONE, State.PARTLY, State.FAILED}
    again = bring(ledger, endpoint(old, user), endpoint(new, user))
    assert (again.state, again.tally.balanced) == (State.DONE, True), again
    there = new.seen(user)
    assert not expected(old.seen(user)) - there
    assert not nowhere(there) - nowhere(before | expected(old.seen(user)))


def nowhere(found: Counter[Seen]) -> Counter[Seen]:
    """Each message at most once, whatever folder it is in: a renamed folder is a new one beside its first copy."""
    return Counter({replace(one, folder=""): 1 for one in found})


@pytest.mark.parametrize("change", [make_anew, renumber, rename, delete])
@pytest.mark.parametrize("moment", [b"* LIST ", b"+ OK", b"APPENDUID"])
def test_a_target_folder_that_changes_in_the_middle_is_filled_again(
    moment: bytes, change: Callable[[Dovecot, str], None], old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 67, 60, PLAIN)
    new.doveadm("mailbox", "create", "-u", user, "Work")
    done: list[bytes] = []

    def edit(octets: bytes) -> bytes:
        if moment in octets and not done:
            done.append(octets)
            change(new, user)
        return octets

    with Proxy(new.port, edit=edit) as proxy:
        bring(ledger, endpoint(old, user), endpoint(new, user, port=proxy.own_port))
    assert done
    again = bring(ledger, endpoint(old, user), endpoint(new, user))
    assert (again.state, again.tally.balanced, again.tally.waiting) == (State.DONE, True, 0), again
    there = new.seen(user)
    assert Counter(one for one in there.elements() if one.folder != "Elsewhere") == expected(old.seen(user))


@pytest.mark.parametrize("side", ["source", "target"])
def test_an_inbox_that_cannot_be_opened_is_suspect_on_either_side(
    side: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    acl = "mail_plugins = acl\nprotocol imap {\n mail_plugins = acl imap_acl\n}\nplugin {\n acl = vfile\n}\n"
    trapped = Dovecot("trapped", extra=acl, userdb="")
    trapped.add_user(user)
    trapped.start()
    try:
        fill(trapped if side == "source" else old, user, 68, 10, PLAIN)
        master = replace(endpoint(trapped, user), login=MasterUser(user, MASTER[0], lambda: Secret(MASTER[1])))
        ends = (master, endpoint(new, user)) if side == "source" else (endpoint(old, user), master)
        report = bring(ledger, *ends)
    finally:
        trapped.remove()
    assert report.state is State.SUSPECT
    assert "only looks empty" in report.words
    assert not new.seen(user)
