"""What only a wire can do: it is cut, it is slow, the far side refuses; and nothing is ever left half done."""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.errors import ObserveError, WriteError
from reconciler.ports import Stat
from reconciler.transports.file_lock import locked
from reconciler.transports.ssh import programs
from reconciler.transports.ssh.transport import SshTransport, open_ssh
from tests.conformance.worlds import Known
from tests.lab.sshd import Sshd, Wire

pytestmark = pytest.mark.daemon
SECRET = "Tr0ub4dor-secret"
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def machine() -> Iterator[Sshd]:
    daemon = Sshd()
    try:
        yield daemon.start()
    finally:
        daemon.remove()


@pytest.fixture
def sshd(machine: Sshd) -> Iterator[Sshd]:
    """The machine, without the programs that other tests put there."""
    yield machine
    for file in machine.programs.iterdir():
        file.unlink()


@pytest.fixture
def far(sshd: Sshd) -> Iterator[Callable[..., SshTransport]]:
    """Opens transports to it, and closes them."""
    opened: list[SshTransport] = []

    def make(**options: object) -> SshTransport:
        opened.append(open_ssh(sshd.ssh(**options), Path("/"), Known()))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


@pytest.fixture
def wire(sshd: Sshd) -> Iterator[Wire]:
    wire = Wire(sshd.port)
    sshd.know(wire.port)
    yield wire
    wire.close()


def soon(fact: Callable[[], bool]) -> bool:
    """Whether it becomes true while the far side finishes what it was doing."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.02)
    return False


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_five_thousand_scripts_are_read_in_a_few_round_trips(sshd: Sshd, far, tmp_path: Path) -> None:
    scripts = {tmp_path / f"user {n}" / "a.sieve": f"# {n}\r\nkeep;\r\n".encode() for n in range(5000)}
    for path, content in scripts.items():
        path.parent.mkdir()
        path.write_bytes(content)
        (path.parent / "active").symlink_to("a.sieve")
    transport = far()
    transport.stat(tmp_path)
    before = sshd.sessions()
    absent = [path.with_name("none.sieve") for path in scripts]
    assert transport.read_many([*scripts, *absent]) == scripts
    assert set(transport.read_links([path.with_name("active") for path in scripts]).values()) == {"a.sieve"}
    assert sshd.sessions() - before < 10


def test_all_threads_share_one_connection(sshd: Sshd, far: Callable[..., SshTransport], tmp_path: Path) -> None:
    transport = far()
    before = sshd.logins()

    def work(n: int) -> bytes | None:
        transport.write(tmp_path / str(n), b"%d" % n)
        return transport.read(tmp_path / str(n))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(40))) == [b"%d" % n for n in range(40)]
    assert sshd.logins() - before == 1


def test_nothing_is_connected_before_it_is_used_and_again_after_it_was_closed(sshd: Sshd, far) -> None:
    before = sshd.logins()
    transport = far()
    transport.close()
    assert sshd.logins() == before
    transport.stat(Path("/"))
    transport.close()
    transport.stat(Path("/"))
    assert sshd.logins() - before == 2


def test_a_connection_that_was_cut_in_between_is_made_again_for_reading_and_writing(far, wire, tmp_path: Path) -> None:
    transport = far(port=wire.port)
    transport.write(tmp_path / "f", b"one")
    wire.cut()
    assert transport.read(tmp_path / "f") == b"one"
    wire.cut()
    transport.write(tmp_path / "f", b"two")
    wire.cut()
    assert transport.run(["cat", str(tmp_path / "f")]) == b"two"


def test_a_reading_that_is_cut_begins_again(sshd: Sshd, far, wire, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    transport = far(port=wire.port)
    transport.stat(tmp_path)
    before = sshd.sessions()
    wire.cut_after = wire.octets + 60_000
    absent = [tmp_path / f"{n} {'long' * 20}" for n in range(2000)]
    assert transport.read_many([*absent, tmp_path / "f"]) == {tmp_path / "f": b"x"}
    assert wire.cut_after is None
    assert sshd.sessions() - before == 2


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_an_upload_that_is_cut_leaves_the_old_file_and_no_litter(far, wire, tmp_path: Path, share: float) -> None:
    (tmp_path / "f").write_bytes(b"old")
    transport = far(port=wire.port)
    transport.stat(tmp_path)
    content = os.urandom(3_000_000)
    wire.cut_after = wire.octets + int(len(content) * share)
    with pytest.raises(
        WriteError, match=r"/f on 127\.0\.0\.1:\d+ could not be written: the connection was lost .*still"
    ):
        transport.write(tmp_path / "f", content)
    assert soon(lambda: names(tmp_path) == ["f"])
    assert (tmp_path / "f").read_bytes() == b"old"
    transport.write(tmp_path / "f", content)
    assert (tmp_path / "f").read_bytes() == content


def test_a_write_whose_answer_is_lost_is_read_back_and_found_done(sshd: Sshd, far, wire, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    sshd.program("mv", f'/bin/mv "$@"; touch {tmp_path}/moved; sleep 2')
    transport = far(port=wire.port)
    transport.stat(tmp_path)
    cutter = threading.Thread(target=lambda: soon((tmp_path / "moved").exists) and wire.cut())
    cutter.start()
    transport.write(tmp_path / "f", b"new")
    cutter.join()
    assert (tmp_path / "f").read_bytes() == b"new"


@pytest.mark.parametrize("act", ["link", "make_directory", "remove"])
def test_what_else_loses_its_answer_is_read_back_and_found_done(
    sshd: Sshd, far, wire, tmp_path: Path, act: str
) -> None:
    (tmp_path / "old").write_bytes(b"")
    for program in ("mv", "mkdir", "rm"):
        real = shutil.which(program)
        sshd.program(program, f'{real} "$@"; touch {tmp_path}/done; sleep 2')
    acts = {
        "link": (lambda t: t.link(tmp_path / "l", "x"), (tmp_path / "l").is_symlink),
        "make_directory": (lambda t: t.make_directory(tmp_path / "d"), (tmp_path / "d").is_dir),
        "remove": (lambda t: t.remove(tmp_path / "old"), lambda: not (tmp_path / "old").exists()),
    }
    transport = far(port=wire.port)
    transport.stat(tmp_path)
    cutter = threading.Thread(target=lambda: soon((tmp_path / "done").exists) and wire.cut())
    cutter.start()
    acts[act][0](transport)
    cutter.join()
    assert acts[act][1]()


def test_a_write_that_is_lost_with_the_machine_is_said_to_be_undecided(sshd: Sshd, far, wire, tmp_path: Path) -> None:
    sshd.program("mv", f"touch {tmp_path}/here; sleep 2")
    transport = far(port=wire.port, timeout=2)
    transport.stat(tmp_path)
    cutter = threading.Thread(target=lambda: soon((tmp_path / "here").exists) and wire.close())
    cutter.start()
    with pytest.raises(WriteError, match=r"nobody knows whether it was: .*plan again"):
        transport.write(tmp_path / "f", b"new")
    cutter.join()


def test_a_program_that_is_cut_is_not_run_twice(sshd: Sshd, far, wire, tmp_path: Path) -> None:
    transport = far(port=wire.port)
    cutter = threading.Thread(target=lambda: soon((tmp_path / "runs").exists) and wire.cut())
    cutter.start()
    script = f"echo run >>{tmp_path}/runs; sleep 2"
    with pytest.raises(WriteError, match=r"sh -c .* on 127\.0\.0\.1:\d+ was started, but .*nobody knows how far"):
        transport.run(["sh", "-c", script])
    cutter.join()
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_far_side_that_goes_silent_is_not_waited_for_for_ever(sshd: Sshd, far, tmp_path: Path) -> None:
    sshd.program("tar", "sleep 3")
    with pytest.raises(
        ObserveError, match=r"/f on 127\.0\.0\.1:\d+ could not be read: the connection was lost 3 times"
    ):
        far(timeout=0.4).read(tmp_path / "f")
    with pytest.raises(WriteError, match="nothing came for"):
        far(command_timeout=0.4).run(["sleep", "3"])


def thaw(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_machine_that_stands_still_is_left_and_asked_anew(sshd: Sshd, far, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    transport = far(timeout=0.5)
    transport.stat(tmp_path)
    pids = sshd.freeze()
    assert pids
    try:
        assert transport.read(tmp_path / "f") == b"old"
    finally:
        thaw(pids)


def test_an_upload_to_a_machine_that_stands_still_leaves_the_old_file(sshd: Sshd, far, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    sshd.program("cat", f'touch {tmp_path}/begun; exec /bin/cat "$@"')
    transport = far(timeout=0.5)
    transport.stat(tmp_path)
    pids: list[int] = []

    def freeze() -> None:
        if soon((tmp_path / "begun").exists):
            pids.extend(sshd.freeze())

    freezer = threading.Thread(target=freeze)
    freezer.start()
    try:
        with pytest.raises(WriteError, match=r"the connection was lost .*still stands"):
            transport.write(tmp_path / "f", b"x" * 300_000_000)
    finally:
        freezer.join()
        thaw(pids)
    assert soon(lambda: names(tmp_path) == ["begun", "f"])
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_silent_program_does_not_cut_off_the_others(sshd: Sshd, far, tmp_path: Path) -> None:
    transport = far(command_timeout=0.5)
    before = sshd.logins()
    with ThreadPoolExecutor(2) as pool:
        silent = pool.submit(transport.run, ["sleep", "2"])
        busy = pool.submit(transport.write, tmp_path / "f", b"x" * 3_000_000)
        assert isinstance(silent.exception(), WriteError)
        assert busy.exception() is None
    transport.stat(tmp_path)
    assert sshd.logins() - before == 1


def test_a_program_that_works_longer_than_a_reading_may_is_waited_for(far) -> None:
    assert far(timeout=0.5, command_timeout=5).run(["sh", "-c", "sleep 1; echo done"]) == b"done\n"


def test_a_full_disk_leaves_the_old_file_and_no_litter(sshd: Sshd, far, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    sshd.program("cat", 'head -c 100; exec /bin/cat "$@" >/dev/full')
    with pytest.raises(
        WriteError, match=r"/f on 127\.0\.0\.1:\d+ could not be written: no space left on device\. .*make room"
    ):
        far().write(tmp_path / "f", b"x" * 100_000)
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_limit_on_file_sizes_leaves_the_old_file_and_no_litter(sshd: Sshd, far, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    sshd.program("cat", 'trap "" XFSZ; ulimit -f 1; exec /bin/cat "$@"')
    with pytest.raises(WriteError, match=r"could not be written: file too large\. .*raise the limit"):
        far().write(tmp_path / "f", b"x" * 100_000)
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_disk_that_does_not_confirm_is_said_after_the_change(sshd: Sshd, far, tmp_path: Path) -> None:
    sshd.program(
        "sync", 'for last; do :; done; [ ! -d "$last" ] || { echo "sync: x: Input/output error" >&2; exit 1; }'
    )
    with pytest.raises(WriteError, match=r"has its new content, but the disk did not confirm it: Input/output error"):
        far().write(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_file_that_changes_while_it_is_read_is_read_again(sshd: Sshd, far, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"whole")
    once = tmp_path / "once"
    complaint = 'echo "tar: f: file changed as we read it" >&2; exit 1'
    sshd.program("tar", f'[ -e {once} ] && exec /bin/tar "$@"; touch {once}; {complaint}')
    assert far().read(tmp_path / "f") == b"whole"
    sshd.program("tar", complaint)
    with pytest.raises(ObserveError, match="keeps changing"):
        far().read(tmp_path / "f")


def test_a_machine_without_our_programs_is_told_which(sshd: Sshd, far, tmp_path: Path) -> None:
    sshd.program("tar", "echo 'sh: 1: exec: tar: not found' >&2; exit 127")
    with pytest.raises(ObserveError, match=r"tar could not be run there: .*not found"):
        far().read(tmp_path / "f")


def test_a_program_that_a_signal_ends_is_said_to_be(far) -> None:
    with pytest.raises(WriteError, match="was ended by a signal"):
        far().run(["sh", "-c", "kill -9 $$"])


def test_what_a_users_shell_says_at_its_start_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_text("echo Welcome; echo 'tar: warning' >&2\n")
    sshd = Sshd(environment=f"SHLVL=1 BASH_ENV={noise} ENV={noise}")
    try:
        transport = open_ssh(sshd.start().ssh(), Path("/"), Known())
        transport.write(tmp_path / "f", b"x")
        assert transport.read(tmp_path / "f") == b"x"
        assert transport.stat(tmp_path / "none") is None
        assert transport.run(["echo", "a"]) == b"a\n"
        transport.close()
    finally:
        sshd.remove()


def test_a_machine_that_allows_no_session_is_told_so(tmp_path: Path) -> None:
    sshd = Sshd(extra="MaxSessions 0")
    try:
        transport = open_ssh(sshd.start().ssh(), Path("/"), Known())
        with pytest.raises(ObserveError, match=r"opens no further session .*MaxSessions"):
            transport.stat(tmp_path)
        transport.close()
    finally:
        sshd.remove()


def with_sudo_log(sshd: Sshd, tmp_path: Path, then: str) -> Path:
    """A sudo that notes its arguments, a line each."""
    log = tmp_path / "sudo.log"
    sshd.program("sudo", f'printf "%s\\n" "$@" >>{log}; {then}')
    return log


def test_with_sudo_every_program_runs_through_it_and_asks_for_no_password(sshd: Sshd, far, tmp_path: Path) -> None:
    log = with_sudo_log(sshd, tmp_path, 'shift 2; exec "$@"')
    (tmp_path / "d").mkdir()
    file = tmp_path / "d" / "f"
    transport = far(sudo=True)
    before = sshd.sessions()
    transport.write(file, b"x")
    transport.link(file.with_name("l"), "f")
    transport.make_directory(tmp_path / "e")
    transport.remove(tmp_path / "gone")
    assert (transport.read(file), transport.stat(file) is None, transport.which("sh") is None) == (b"x", False, False)
    assert transport.read_links([file.with_name("l")]) == {file.with_name("l"): "f"}
    assert transport.run(["cat"], stdin=b"y") == b"y"
    lines = log.read_text().splitlines()
    calls = [n for n, line in enumerate(lines) if line == "-n" and lines[n + 1] == "--"]
    assert len(calls) == sshd.sessions() - before == 9


def test_a_sudo_that_asks_for_a_password_comes_with_the_way_out(sshd: Sshd, far, tmp_path: Path) -> None:
    with_sudo_log(sshd, tmp_path, 'echo "sudo: a password is required" >&2; exit 1')
    transport = far(sudo=True)
    for error, act in (
        (ObserveError, lambda: transport.read(tmp_path)),
        (ObserveError, lambda: transport.stat(tmp_path)),
        (WriteError, lambda: transport.write(tmp_path / "f", b"")),
        (WriteError, lambda: transport.run(["true"])),
    ):
        with pytest.raises(error, match=r"sudo: a password is required\. Nothing was done\. .*NOPASSWD"):
            act()


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that anybody may reach: pytest's own are for their user only."""
    with tempfile.TemporaryDirectory(prefix="ssh-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_what_the_user_that_logs_in_may_not_do_is_said_and_nothing_is_touched(sshd: Sshd, far, folder: Path) -> None:
    """Here sudo does the contrary of its work: it makes an ordinary user of root."""
    with_sudo_log(sshd, folder, 'shift 2; exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"')
    (folder / "sudo.log").touch()
    (folder / "sudo.log").chmod(0o666)
    shut, open_to_all = folder / "shut", folder / "open"
    shut.mkdir(0o700)
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (shut / "f").write_bytes(b"old")
    (open_to_all / "f").write_bytes(b"old")
    transport = far(sudo=True)
    for act in (
        lambda: transport.stat(shut / "f"),
        lambda: transport.read(shut / "f"),
        lambda: transport.read_links([shut / "f"]),
    ):
        with pytest.raises(
            ObserveError, match=r"/shut/f on 127\.0\.0\.1:\d+ could not be read: permission denied; log in as"
        ):
            act()
    for act in (
        lambda: transport.write(shut / "f", b"new"),
        lambda: transport.link(shut / "l", "x"),
        lambda: transport.make_directory(shut / "d"),
        lambda: transport.remove(shut / "f"),
    ):
        with pytest.raises(WriteError, match=r"/shut/.* on .* could not be written: permission denied"):
            act()
    with pytest.raises(WriteError, match=r"its owner could not be kept|operation not permitted"):
        transport.write(open_to_all / "f", b"new")
    assert (open_to_all / "f").read_bytes() == (shut / "f").read_bytes() == b"old"
    assert names(open_to_all) == names(shut) == ["f"]
    transport.write(open_to_all / "g", b"new", like=Stat(0, 0, 0o640, ()))
    assert (open_to_all / "g").stat().st_uid == 65534
    assert (open_to_all / "g").read_bytes() == b"new"


def test_secrets_are_in_no_argument_and_in_no_log_of_the_far_side(sshd: Sshd, far, tmp_path: Path) -> None:
    log = with_sudo_log(sshd, tmp_path, 'shift 2; exec "$@"')
    look = "cat >/dev/null; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || :"
    transport = far(sudo=True)
    seen = transport.run(["sh", "-c", look], stdin=SECRET.encode())
    sshd.program("cat", f'{{ /bin/cat /proc/[0-9]*/cmdline 2>/dev/null; }} >>{tmp_path}/arguments; exec /bin/cat "$@"')
    transport.write(tmp_path / "f", SECRET.encode())
    assert (tmp_path / "f").read_text() == SECRET
    arguments = (tmp_path / "arguments").read_bytes()
    assert b"mktemp" in arguments
    assert SECRET.encode() not in seen + arguments
    assert SECRET not in log.read_text() + sshd.log()


def test_what_else_hangs_on_a_file_survives_a_rewrite(far) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # a disk: tmpfs knows no attributes on older kernels
        file = Path(folder) / "f"
        file.write_bytes(b"old")
        os.setxattr(file, "user.note", b"kept")
        far().write(file, b"new")
        assert (file.read_bytes(), os.getxattr(file, "user.note")) == (b"new", b"kept")


def test_temporary_files_are_never_open_to_others(sshd: Sshd, far, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    sshd.program("mv", f'stat -c %a {tmp_path}/d/.f.* >>{tmp_path}/modes; exec /bin/mv "$@"')
    sshd.program("cat", f'stat -c %a {tmp_path}/d/.f.* >>{tmp_path}/modes; exec /bin/cat "$@"')
    far().write(tmp_path / "d" / "f", b"x", mode=0o644)
    assert (tmp_path / "modes").read_text().split() == ["600", "644"]


def test_the_far_sides_log_names_no_error_of_ours(sshd: Sshd, far) -> None:
    far().stat(Path("/"))
    assert "error:" not in sshd.log()


def test_a_lock_goes_with_the_connection(sshd: Sshd, far: Callable[..., SshTransport], tmp_path: Path) -> None:
    wire = Wire(sshd.port)
    sshd.know(wire.port)
    try:
        transport = far(port=wire.port)
        with transport.locked([tmp_path / "f"]):
            with pytest.raises(WriteError, match="could not be locked"), locked([tmp_path / "f"], patience=0):
                pass
            wire.cut()
            with locked([tmp_path / "f"], patience=10):
                pass
            transport.write(tmp_path / "f", b"on a new connection")
        assert [path.name for path in tmp_path.iterdir()] == ["f"]
    finally:
        wire.close()


def test_a_machine_without_flock_is_told_of_once_and_written_to(
    tmp_path: Path, sshd: Sshd, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = [word.replace("command -v flock", "command -v no-such-program") for word in programs.LOCK]
    monkeypatch.setattr(programs, "LOCK", without)
    transport = open_ssh(sshd.ssh(), tmp_path, Known())
    for content in (b"one", b"two"):
        with transport.locked([tmp_path / "f"]):
            transport.write(tmp_path / "f", content)
    transport.close()
    assert (tmp_path / "f").read_bytes() == b"two"
    told = [record.message for record in caplog.records if "has no flock" in record.message]
    assert len(told) == 1
    assert "its files are changed without a lock: do not apply two moves to it at once" in told[0]
