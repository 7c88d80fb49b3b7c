"""Many who ask for one machine: with sshd's own limits all get in, over one connection."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier, BoundedSemaphore, Event, Lock
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.errors import ObserveError
from reconciler.transports.ssh.options import Ssh
from reconciler.transports.ssh.session import Session
from reconciler.transports.ssh.shared import Connections, Unreachable, login_of
from reconciler.transports.ssh.transport import open_ssh
from tests.conformance.worlds import Known
from tests.lab.patience import PATIENCE
from tests.lab.sshd import Sshd


@pytest.fixture
def strict() -> Iterator[Sshd]:
    """With the limits that sshd has by itself."""
    daemon = Sshd(startups="10:30:100")
    try:
        yield daemon.start()
    finally:
        daemon.remove()


@pytest.mark.daemon
def test_many_share_one_connection_whose_sessions_sshd_limits(strict: Sshd, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    together = Barrier(24)

    def use(_: int) -> bytes | None:
        transport = open_ssh(strict.ssh(), tmp_path, Known())
        together.wait(30)
        found = transport.read(tmp_path / "f")
        together.wait(60)
        transport.close()
        return found

    with ThreadPoolExecutor(24) as pool:
        assert list(pool.map(use, range(24))) == [b"x"] * 24
    assert strict.logins() == 1


def hung_up(sshd: Sshd) -> bool:
    """Whether sshd has said of the first login that its connection ended, in one of its words for that."""
    port = re.findall(r"Accepted publickey for \S+ from 127.0.0.1 port (\d+)", sshd.log())[0]
    return bool(
        re.search(rf"(Read error from|Disconnected from|Connection (closed|reset) by) .*port {port}\b", sshd.log())
    )


@pytest.mark.daemon
def test_who_leaves_does_not_hang_up_on_the_others(strict: Sshd, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    one, other = (open_ssh(strict.ssh(), tmp_path, Known()) for _ in range(2))
    assert one.read(tmp_path / "f") == b"x"
    one.close()
    one.close()
    assert other.read(tmp_path / "f") == b"x"
    assert strict.logins() == 1
    assert not hung_up(strict)
    other.close()
    deadline = time.monotonic() + PATIENCE
    while not hung_up(strict) and time.monotonic() < deadline:
        time.sleep(0.02)  # until sshd has written it
    assert hung_up(strict)
    again = open_ssh(strict.ssh(), tmp_path, Known())
    assert again.read(tmp_path / "f") == b"x"
    again.close()
    assert strict.logins() == 2


def test_few_log_in_to_one_machine_at_the_same_time_whoever_they_are() -> None:
    connections, full, counting = Connections(), Event(), Lock()
    inside: list[int] = []
    most: list[int] = []

    def connect() -> object:
        with counting:
            inside.append(1)
            most.append(len(inside))
            if len(inside) == 4:
                full.set()
        assert full.wait(30)
        with counting:
            inside.pop()
        return object()

    doors = [connections.in_turn(("mail.example.org", 22), number, connect) for number in range(24)]
    with ThreadPoolExecutor(24) as pool:
        list(pool.map(lambda door: door(), doors))
    assert max(most) == 4


class Line:
    """A session as far as sharing it goes: it is open, and then hung up once."""

    def __init__(self) -> None:
        self.open = True

    def close(self) -> None:
        assert self.open, "it was hung up before"
        self.open = False


class Users(RuleBasedStateMachine):
    """Who uses and keeps sessions, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: Any = Connections()
        self.using: list[tuple[str, Line, Callable[[], None]]] = []
        self.keeping: list[AbstractContextManager[None]] = []
        self.made: list[tuple[str, Line]] = []

    @rule(login=st.sampled_from(["root", "admin"]))
    def share(self, login: str) -> None:
        standing = [line for name, line in self.made if name == login and line.open]

        def make() -> Line:
            assert not standing, "one is open"
            self.made.append((login, Line()))
            return self.made[-1][1]

        line, leave = self.connections.share(login, make)
        assert line is (standing or [self.made[-1][1]])[0]
        self.using.append((login, line, leave))

    @precondition(lambda self: self.using)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        _, _, leave = self.using.pop(data.draw(st.integers(0, len(self.using) - 1)))
        leave()

    @rule()
    def keep(self) -> None:
        self.keeping.append(self.connections.kept())
        self.keeping[-1].__enter__()

    @precondition(lambda self: self.keeping)
    @rule()
    def stop_keeping(self) -> None:
        self.keeping.pop().__exit__(None, None, None)

    @invariant()
    def open_is_what_is_used_or_kept(self) -> None:
        used = [line for _, line, _ in self.using]
        for _, line in self.made:
            assert line.open or line not in used
            assert not line.open or line in used or self.keeping


TestUsers = Users.TestCase


def test_a_refusal_is_kept_for_as_long_as_it_is_asked_to_be_and_silence_is_not() -> None:
    connections, tries = Connections(), []
    says: list[ObserveError] = [Unreachable("no answer in time")]

    def connect() -> object:
        tries.append(1)
        raise says[0]

    def ask(login: str, words: str) -> int:
        before = len(tries)
        with pytest.raises(ObserveError, match=words):
            connections.in_turn(("mail.example.org", 22), login, connect)()
        return len(tries) - before

    with connections.kept():
        assert [ask("root", "no answer"), ask("root", "no answer")] == [1, 1]
        says[0] = ObserveError("does not let root in")
        assert [ask("root", "not let root in"), ask("root", "not let root in"), ask("admin", "not let")] == [1, 0, 1]
    assert [ask("root", "not let root in"), ask("root", "not let root in")] == [1, 1]


def test_a_login_is_one_where_the_key_is_one(tmp_path: Path) -> None:
    sshd = {"host": "mail.example.org", "user": "root"}
    near = Ssh.model_validate({**sshd, "key_file": "a/key"})
    far = Ssh.model_validate({**sshd, "key_file": str(tmp_path / "a" / "key")})
    assert login_of(near, tmp_path) == login_of(far, Path("/elsewhere"))
    assert login_of(near, tmp_path) != login_of(near, Path("/elsewhere"))
    assert login_of(near, tmp_path) != login_of(near.model_copy(update={"user": "admin"}), tmp_path)


def test_who_waits_for_a_login_that_fails_does_not_try_it_once_more() -> None:
    asked, tries = Barrier(8), []

    def refuse() -> object:
        tries.append(1)
        everybody_asked.wait(30)
        raise ObserveError("no answer in time")

    everybody_asked = Event()
    session = Session("mail.example.org", refuse)

    class Watched:
        """The line before the door of programs: whoever stands in it has asked."""

        def __init__(self) -> None:
            self._door = BoundedSemaphore(4)
            self._lock = Lock()
            self._came = 0

        def __enter__(self) -> None:
            with self._lock:
                self._came += 1
                if self._came == 8:
                    everybody_asked.set()
            self._door.acquire()

        def __exit__(self, *_: object) -> None:
            self._door.release()

    session._free = Watched()  # type: ignore[assignment]

    def ask(_: int) -> None:
        asked.wait(30)
        with pytest.raises(ObserveError, match="no answer in time"):
            session.run(["true"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(tries) == 1
