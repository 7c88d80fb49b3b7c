"""Many who ask for one machine: with sshd's own limits all get in, over one connection."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, BoundedSemaphore, Event, Lock

import pytest

from reconciler.errors import ObserveError
from reconciler.transports.ssh.options import Ssh
from reconciler.transports.ssh.session import Session
from reconciler.transports.ssh.shared import Connections, login_of
from reconciler.transports.ssh.transport import open_ssh
from tests.conformance.worlds import Known
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


@pytest.mark.daemon
def test_who_leaves_does_not_hang_up_on_the_others(strict: Sshd, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    one, other = (open_ssh(strict.ssh(), tmp_path, Known()) for _ in range(2))
    assert one.read(tmp_path / "f") == b"x"
    one.close()
    one.close()
    assert other.read(tmp_path / "f") == b"x"
    assert strict.logins() == 1
    other.close()
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

    doors = [connections.in_turn(("mail.example.org", 22), connect) for _ in range(24)]
    with ThreadPoolExecutor(24) as pool:
        list(pool.map(lambda door: door(), doors))
    assert max(most) == 4


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
