"""Both Maildirs on a machine behind a real sshd: the same programs, streams that are cut, a disk that is full."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from reconciler.mailcopy.either import copy_mailbox
from reconciler.mailcopy.files.job import MboxEnd
from reconciler.mailcopy.files.machine import Machine
from reconciler.mailcopy.files.verify import verify_files
from reconciler.mailcopy.job import MailboxReport, Means, Patience, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.model.grade import Grade
from reconciler.transports.secrets import ReferencedSecrets
from reconciler.transports.ssh.transport import open_ssh
from tests.lab.dovecot import Dovecot
from tests.lab.mail_files import copying, end, prepared, shown
from tests.lab.mailbox import RealClock, fill
from tests.lab.sshd import Sshd, Wire

pytestmark = pytest.mark.daemon
PLAIN = ((), ("Work",), ("Größe & Maße",))


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    daemon = Sshd().start()
    yield daemon
    daemon.remove()


@pytest.fixture
def wire(sshd: Sshd) -> Iterator[Wire]:
    line = Wire(sshd.port)
    sshd.know(line.port)
    yield line
    line.close()


@pytest.fixture
def far(sshd: Sshd, wire: Wire, tmp_path: Path) -> Iterator[Machine]:
    transport = open_ssh(sshd.ssh(port=wire.port), tmp_path, ReferencedSecrets(tmp_path))
    yield Machine(transport, "127.0.0.1", wire.port)
    transport.close()


def run(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, attempts: int = 5) -> MailboxReport:
    copy = copying(end(old.maildir(user), machine=far), end(new.maildir(user), machine=far))
    means = Means(ledger, RealClock(), patience=Patience(attempts=attempts), sleep=lambda _: None)
    return copy_mailbox(copy, means)


def is_armed(wire: Wire) -> bool:
    return wire.cut_after is not None


def test_a_random_mailbox_is_the_same_on_both_sides(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, sshd: Sshd
) -> None:
    fill(old, user, 1, 150, PLAIN)
    prepared(new, user)
    logins = sshd.logins()
    report = run(old, new, user, ledger, far)
    assert (report.state, report.words, report.tally.copied) == (State.DONE, "", 150)
    assert new.seen(user) == old.seen(user)
    assert shown(new, user) == shown(old, user)
    began = sshd.sessions()
    again = run(old, new, user, ledger, far)
    assert (again.state, again.tally.new) == (State.DONE, 0)
    assert sshd.sessions() - began <= 6
    assert sshd.logins() - logins == 1
    copy = copying(end(old.maildir(user), machine=far), end(new.maildir(user), machine=far))
    assert verify_files(copy, Means(ledger, RealClock())).grade is Grade.PERFECT


def test_a_line_cut_after_any_number_of_octets_loses_and_doubles_nothing(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, wire: Wire
) -> None:
    fill(old, user, 2, 60, PLAIN)
    root = prepared(new, user)
    before = wire.octets
    assert run(old, new, user, ledger, far).state is State.DONE
    whole = wire.octets - before
    for step in range(4):
        for path in root.rglob("*.reconciler*"):
            path.unlink()
        other = SqlLedger("sqlite://", RealClock())
        wire.cut_after = wire.octets + whole * (step * 2 + 1) // 8
        report = run(old, new, user, other, far)
        assert (report.state, report.tally.balanced) == (State.DONE, True), (step, report.words)
        assert not is_armed(wire)
        assert new.seen(user) == old.seen(user), step
        other.close()


def test_a_line_that_is_never_there_ends_as_failed_with_the_reason(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, wire: Wire
) -> None:
    wire.close()
    report = run(old, new, user, ledger, far, attempts=2)
    assert report.state is State.FAILED
    assert "could not be reached over SSH" in report.words
    assert "xargs" not in report.words
    assert "set -efu" not in report.words


@pytest.mark.parametrize("program", ["tar", "sync"])
def test_a_full_disk_is_said_and_room_lets_it_go_on(
    program: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, sshd: Sshd
) -> None:
    fill(old, user, 3, 40, PLAIN)
    prepared(new, user)
    script = (
        f"case $* in *--create*) exec /usr/bin/{program} \"$@\";; esac\necho 'x: No space left on device' >&2; exit 2"
    )
    full = sshd.program(program, script)
    try:
        report = run(old, new, user, ledger, far)
    finally:
        full.unlink()
    assert report.state is State.FULL
    assert "No space left on device" in report.words
    assert "set -efu" not in report.words
    assert run(old, new, user, ledger, far).state is State.DONE
    assert new.seen(user) == old.seen(user)
    assert not list(new.maildir(user).rglob("*.lock"))


@pytest.mark.parametrize("moment", ["-t", "-f", "-n"])
def test_a_program_killed_after_a_move_leaves_whole_messages_and_no_lock_that_anybody_waits_for(
    moment: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, sshd: Sshd
) -> None:
    fill(old, user, 4, 40, ((),))
    prepared(new, user)
    script = f'/usr/bin/mv "$@" || exit\ncase " $* " in *" {moment} "*) kill -9 $PPID;; esac'
    killing = sshd.program("mv", script)
    try:
        report = run(old, new, user, ledger, far, attempts=2)
    finally:
        killing.unlink()
    assert report.tally.waiting + report.tally.copied == report.tally.count
    if moment == "-f":
        assert list(new.maildir(user).rglob("*.lock"))
    assert sum(new.seen(user).values()) <= 40
    assert run(old, new, user, ledger, far).state is State.DONE
    assert new.seen(user) == old.seen(user)


def test_a_message_that_another_program_renames_at_the_same_time_gets_its_flag_all_the_same(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine, sshd: Sshd
) -> None:
    fill(old, user, 6, 5, ((),))
    cur = prepared(new, user) / "cur"
    run(old, new, user, ledger, far)
    old.doveadm("flags", "remove", "-u", user, "\\Flagged \\Answered", "mailbox", "INBOX", "ALL")
    run(old, new, user, ledger, far)
    old.doveadm("flags", "add", "-u", user, "\\Flagged", "mailbox", "INBOX", "ALL")
    other = cur.parent / "other"
    other.touch()
    script = f"""if [ -e {other} ]; then
      rm {other}
      for file in {cur}/*; do /usr/bin/mv "$file" "${{file%%:2,*}}:2,R${{file##*:2,}}"; done
    fi
    exec /usr/bin/mv "$@\""""
    racing = sshd.program("mv", script)
    try:
        assert run(old, new, user, ledger, far).state is State.DONE
    finally:
        racing.unlink()
    assert not other.exists()
    assert [{"\\Answered", "\\Flagged"} <= seen.flags for seen in new.seen(user)] == [True] * 5


def test_mbox_files_behind_ssh(new: Dovecot, user: str, ledger: SqlLedger, far: Machine, tmp_path: Path) -> None:
    line = b"From a@x Mon Jan  1 10:00:00 2024 +0000\n"
    file = tmp_path / "in box"
    file.write_bytes(b"".join(line + b"Message-ID: <%d@x>\nStatus: RO\n\nbody\n\n" % number for number in range(300)))
    os.utime(file, (1_700_000_000, 1_700_000_000))
    copy = copying(MboxEnd(far, PurePosixPath(file)), end(prepared(new, user), machine=far))
    report = copy_mailbox(copy, Means(ledger, RealClock()))
    assert (report.state, report.tally.copied) == (State.DONE, 300)
    assert {(seen.flags, seen.received) for seen in new.seen(user)} == {(frozenset({"\\Seen"}), 1_704_103_200)}


def test_from_this_machine_to_one_behind_ssh(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, far: Machine
) -> None:
    fill(old, user, 5, 40, PLAIN)
    prepared(new, user)
    copy = copying(end(old.maildir(user)), replace(end(new.maildir(user)), server=far))
    assert copy_mailbox(copy, Means(ledger, RealClock())).state is State.DONE
    assert new.seen(user) == old.seen(user)
