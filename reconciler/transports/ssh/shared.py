"""One connection to one machine for all who use it in this process: many specs, both servers, each with its own close.

sshd lets a connection have ten sessions (MaxSessions 10) and drops logins at random when ten are under way (MaxStartups
10:30:100). So whoever asks for the same login shares a session, and few log in at the same time. Firewalls shut out who
is refused often, so work on many moves keeps a refusal too. Importing this does not import paramiko.

Source: sshd_config(5) of OpenSSH 9.2.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from reconciler.errors import ObserveError, ReconcilerError
from reconciler.transports.ssh.options import Ssh

if TYPE_CHECKING:
    import paramiko

    from reconciler.transports.ssh.session import Session

_LOGINS_AT_ONCE: Final = 4  # to one machine, whoever logs in: other people and programs have the other six


class Unreachable(ObserveError):  # noqa: N818 - the word for what happened, as in errors.py
    """No answer to a login: the next may have one."""


@dataclass(slots=True)
class _Shared:
    session: "Session"
    users: set[object] = field(default_factory=set)


class Connections:
    """The sessions of this process, by what makes a login what it is."""

    def __init__(self) -> None:
        """None is open yet."""
        self._lock = Lock()
        self._by_login: dict[object, _Shared] = {}
        self._doors: dict[tuple[str, int], BoundedSemaphore] = {}
        self._keepers = 0
        self._refused: dict[object, ReconcilerError] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While this lasts, a session stays open that nobody uses for a moment, and a login refused once stays refused.

        A machine that did not answer is asked again.
        """
        with self._lock:
            self._keepers += 1
        try:
            yield
        finally:
            left: list[_Shared] = []
            with self._lock:
                self._keepers -= 1
                if not self._keepers:
                    self._refused.clear()
                    unused = [login for login, shared in self._by_login.items() if not shared.users]
                    left = [self._by_login.pop(login) for login in unused]
            for shared in left:
                shared.session.close()

    def share(self, login: object, make: Callable[[], "Session"]) -> tuple["Session", Callable[[], None]]:
        """The session of that login, made where there is none, and how to leave it.

        It hangs up when the last user leaves, or with the last ``kept``. To leave twice does no harm, nor to use it
        after that.
        """
        user = object()
        with self._lock:
            if login not in self._by_login:
                self._by_login[login] = _Shared(make())
            shared = self._by_login[login]
            shared.users.add(user)

        def leave() -> None:
            with self._lock:
                shared.users.discard(user)
                registered = self._by_login.get(login) is shared
                if shared.users or (registered and self._keepers):
                    return
                if registered:
                    del self._by_login[login]
            shared.session.close()

        return shared.session, leave

    def in_turn(
        self, machine: tuple[str, int], login: object, connect: Callable[[], "paramiko.SSHClient"]
    ) -> Callable[[], "paramiko.SSHClient"]:
        """``connect``, but few at once on one machine, and not where that login was refused and this is ``kept``."""
        with self._lock:
            door = self._doors.setdefault(machine, BoundedSemaphore(_LOGINS_AT_ONCE))

        def connect_in_turn() -> "paramiko.SSHClient":
            with door:
                with self._lock:
                    known = self._refused.get(login)
                if known:
                    raise type(known)(str(known)) from known
                try:
                    return connect()
                except Unreachable:
                    raise
                except ReconcilerError as error:
                    with self._lock:
                        if self._keepers:
                            self._refused[login] = error
                    raise

        return connect_in_turn


def login_of(ssh: Ssh, base: Path) -> object:
    """What two logins must have in common to be one: what the options say, each file by its whole path."""
    files = {
        name: str(base / Path(path).expanduser())
        for name in ("key_file", "known_hosts")
        if (path := getattr(ssh, name))
    }
    phrase = ssh.key_passphrase
    return ssh.model_copy(update=files), base if phrase and not phrase.startswith("env:") else None


CONNECTIONS: Final = Connections()
"""Those of this process."""
