"""One connection to one machine for all who use it in this process: many specs, both servers, each with its own close.

sshd lets a connection have ten sessions (MaxSessions 10) and drops logins at random when ten are under way (MaxStartups
10:30:100). So whoever asks for the same login shares a session, and few log in at the same time.

Source: sshd_config(5) of OpenSSH 9.2.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Final

import paramiko

from reconciler.transports.ssh.options import Ssh
from reconciler.transports.ssh.session import Session

_LOGINS_AT_ONCE: Final = 4  # to one machine, whoever logs in: other people and programs have the other six


@dataclass(slots=True)
class _Shared:
    session: Session
    users: set[object] = field(default_factory=set)


class Connections:
    """The sessions of this process, by what makes a login what it is."""

    def __init__(self) -> None:
        """None is open yet."""
        self._lock = Lock()
        self._by_login: dict[object, _Shared] = {}
        self._doors: dict[tuple[str, int], BoundedSemaphore] = {}

    def share(self, login: object, make: Callable[[], Session]) -> tuple[Session, Callable[[], None]]:
        """The session of that login, made where nobody uses one, and how to leave it.

        It hangs up when the last user leaves. To leave twice does no harm, nor to use it after that.
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
                if shared.users:
                    return
                if self._by_login.get(login) is shared:
                    del self._by_login[login]
            shared.session.close()

        return shared.session, leave

    def in_turn(
        self, machine: tuple[str, int], connect: Callable[[], paramiko.SSHClient]
    ) -> Callable[[], paramiko.SSHClient]:
        """``connect``, but few at once on one machine."""
        with self._lock:
            door = self._doors.setdefault(machine, BoundedSemaphore(_LOGINS_AT_ONCE))

        def connect_in_turn() -> paramiko.SSHClient:
            with door:
                return connect()

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
