"""Programs on a machine behind SSH, over one connection that all share and that comes back when it was cut."""

import select
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Event, Lock, Thread
from time import monotonic
from typing import Any, Final, Self

import paramiko

from reconciler.errors import ObserveError, ReconcilerError

# Found without a login shell, and with messages in English: the programs of administrators are not in everybody's PATH.
# What a user's shell says before that, from its own start-up files, ends at the mark.
_MARK: Final = b"\0reconciler\0"
_PRELUDE: Final = (
    r"printf '\000reconciler\000'; printf '\000reconciler\000' >&2; "
    'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C; export PATH LC_ALL; exec "$@"'
)
# An end of input that we send may cross the end of the program (paramiko sends it without a lock): sshd then hangs up
# on all who share the connection (RFC 4254, section 5.3: nothing is sent for a channel that was closed).
_NO_INPUT: Final = "</dev/null"
_AT_ONCE: Final = 4  # programs; sshd's MaxSessions is 10
_HELD_AT_ONCE: Final = 4  # programs that stay while others run; apart from those, so that these can never wait for them
_PIECE: Final = 32768  # octets that one SSH packet carries
_MUCH: Final = 1 << 20
_GRACE: Final = 2  # seconds: the silence of a program is noticed first, which costs the others nothing
_WINDOW_PAUSE: Final = 0.02  # seconds until the far side is asked again whether it takes more input


class Cut(Exception):  # noqa: N818 - whether it is an error depends on what was being done
    """The connection was lost, or nothing came in time, after a program may have been started."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended; ``status`` is -1 where a signal ended it."""

    status: int
    out: bytes
    err: str


class Session:
    """One machine. Safe to use from several threads: each program has a channel of its own.

    No time-out but silence ends a program: ``patience`` are the seconds that nothing may come.
    """

    def __init__(
        self, where: str, connect: Callable[[], paramiko.SSHClient], *, sudo: bool = False, patience: float = 30
    ) -> None:
        """Nothing is connected yet. ``where`` is what people call the machine."""
        self.where = where
        self.sudo = sudo
        self._connect = connect
        self._patience = patience
        self._client: paramiko.SSHClient | None = None
        self._failed: ReconcilerError | None = None
        self._failures = 0
        self._connecting = Lock()
        self._free = BoundedSemaphore(_AT_ONCE)
        self._free_to_stay = BoundedSemaphore(_HELD_AT_ONCE)

    def run(self, argv: Sequence[str], stdin: bytes = b"", *, patience: float | None = None) -> Done:
        """Run a program to its end, with this on its standard input.

        Raises:
            ObserveError: no connection could be made; the program was not started.
            Cut: the connection was lost; nobody knows how far the program came.

        """
        line = self._line(argv, _PRELUDE if stdin else f"{_PRELUDE} {_NO_INPUT}")
        patience = patience or self._patience
        failures = self._failures
        with self._free:
            client, channel = self._channel(failures)
            try:
                with _Watch(patience + _GRACE, client.close) as watch, closing(channel):
                    channel.exec_command(line)
                    return _exchange(channel, stdin, patience, watch)
            except TimeoutError as error:  # the program is silent; the connection may well live, and others use it
                raise Cut(str(error)) from error
            except (paramiko.SSHException, EOFError, OSError) as error:
                self._drop(client)
                raise Cut(str(error) or "the connection was lost") from error

    @contextmanager
    def staying(self, argv: Sequence[str], *, patience: float) -> Iterator[Done]:
        """Run a program that says one line and stays until its standard input ends, with the context or the connection.

        Gives the line; where it ended by itself instead, how it ended.

        Raises:
            ObserveError: no connection could be made; the program was not started.
            Cut: the connection was lost, or no line came for ``patience`` seconds.

        """
        failures = self._failures
        with self._free_to_stay:
            client, channel = self._channel(failures)
            with closing(channel):
                try:
                    channel.settimeout(patience)
                    channel.exec_command(self._line(argv))
                    first = _first_line(channel, patience)
                except (paramiko.SSHException, EOFError, OSError) as error:
                    if not isinstance(error, TimeoutError):
                        self._drop(client)
                    raise Cut(str(error) or "nothing came in time") from error
                try:
                    yield first
                finally:
                    _let_go(channel, self._patience)

    def _line(self, argv: Sequence[str], prelude: str = _PRELUDE) -> bytes:
        prefix = ["sudo", "-n", "--"] if self.sudo else []
        return shlex.join([*prefix, "sh", "-c", prelude, "sh", *argv]).encode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Hang up; the next program connects again."""
        with self._connecting:
            client, self._client = self._client, None
        if client:
            client.close()

    def _channel(self, failures: int) -> tuple[paramiko.SSHClient, Any]:
        """A new channel; a connection that turns out to be dead is made anew, for nothing was asked of it yet."""
        for again in (True, False):
            client = self._connected(failures)
            try:
                return client, client.get_transport().open_session(timeout=self._patience)
            except (paramiko.SSHException, EOFError, OSError, AttributeError) as error:
                if isinstance(error, paramiko.ChannelException):
                    raise ObserveError(
                        f"{self.where} opens no further session on the connection ({error}): allow as many as usual in "
                        "its sshd_config (MaxSessions 10) and a shell for the user"
                    ) from error
                self._drop(client)
                if not again:
                    raise ObserveError(
                        f"{self.where} takes the login but then ends the connection ({error}); its sshd's log says why"
                    ) from error
        raise AssertionError("the second attempt ends the loop")  # pragma: no cover

    def _connected(self, failures: int) -> paramiko.SSHClient:
        """``failures``: those before the caller asked. Whoever waited while a login failed has its answer too."""
        with self._connecting:
            if self._client is None or not _alive(self._client):
                if self._client:
                    self._client.close()
                    self._client = None
                if self._failed and self._failures > failures:
                    raise type(self._failed)(str(self._failed)) from self._failed
                try:
                    self._client = self._connect()
                except ReconcilerError as error:
                    self._failed, self._failures = error, self._failures + 1
                    raise
            return self._client

    def _drop(self, client: paramiko.SSHClient) -> None:
        with self._connecting:
            if self._client is client:
                self._client = None
        client.close()


def _alive(client: paramiko.SSHClient) -> bool:
    transport = client.get_transport()
    return transport is not None and bool(transport.is_active())


class _Watch:
    """Hangs up when nothing has moved for too long: paramiko itself waits for ever for a machine that stands still."""

    def __init__(self, seconds: float, hang_up: Callable[[], None]) -> None:
        self._seconds = seconds
        self._hang_up = hang_up
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self.moved_at = monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(max(self.moved_at + self._seconds - monotonic(), 0)):
            if monotonic() - self.moved_at >= self._seconds:
                self._hang_up()
                return


def _exchange(channel: Any, stdin: bytes, patience: float, watch: _Watch) -> Done:
    """Feed and drain at the same time: a program that waits for us to read would never read what we send.

    Raises:
        TimeoutError: nothing moved for ``patience`` seconds.
        EOFError: the connection ended before the program.

    """
    out, err, left = bytearray(), bytearray(), memoryview(stdin)
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    while True:
        ended = channel.closed or channel.eof_received  # asked first: what came before it is drained below
        moved = _drain(channel, out, err)
        if ended and not moved:
            break
        if left and not ended and channel.send_ready():
            left = left[channel.send(bytes(left[:_PIECE])) :]
            moved = True
            if not left:
                channel.shutdown_write()
        if moved:
            watch.moved_at = monotonic()
        elif monotonic() - watch.moved_at > patience:
            raise TimeoutError(f"nothing came for {patience:g} seconds")
        else:
            poll.poll(1000 * (_WINDOW_PAUSE if left else min(patience, 1)))
    _, started, said = bytes(err).partition(_MARK)
    return Done(
        _status(channel, patience),
        bytes(out).partition(_MARK)[2],
        (said if started else err).decode("utf-8", "replace"),
    )


def _first_line(channel: Any, patience: float) -> Done:
    """What stands before the first line end of its output; all of it and the status where it ended before that."""
    out = bytearray()
    while b"\n" not in out.partition(_MARK)[2]:
        came = channel.recv(_PIECE)
        if not came:
            err = bytearray()
            _drain(channel, out, err)
            _, started, said = bytes(err).partition(_MARK)
            return Done(_status(channel, patience), b"", (said if started else err).decode("utf-8", "replace"))
        out += came
    return Done(0, bytes(out).partition(_MARK)[2].partition(b"\n")[0], "")


def _let_go(channel: Any, patience: float) -> None:
    """Wait for its end too: what it takes away then is gone when the context is left."""
    try:
        channel.shutdown_write()
    except (paramiko.SSHException, EOFError, OSError):
        return  # it has ended with the connection
    channel.status_event.wait(patience)


def _drain(channel: Any, out: bytearray, err: bytearray) -> bool:
    """Take what has come; whether there was anything."""
    before = len(out) + len(err)
    while channel.recv_ready():
        out += channel.recv(_MUCH)
    while channel.recv_stderr_ready():
        err += channel.recv_stderr(_MUCH)
    return len(out) + len(err) > before


def _status(channel: Any, patience: float) -> int:
    if not channel.status_event.wait(patience):
        raise TimeoutError(f"the program did not end within {patience:g} seconds")
    status = int(channel.recv_exit_status())
    if status < 0 and not channel.get_transport().is_active():
        raise EOFError("the connection was lost")
    return status
