"""A private sshd on loopback, with its own host keys, users' keys, port and log; and a wire that can be cut."""

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.transports.ssh.options import Ssh
from tests.lab.patience import PATIENCE
from tests.lab.ports import own_port

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
{host_keys}
AuthorizedKeysFile {root}/authorized_keys
PidFile {root}/pid
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
LogLevel VERBOSE
MaxStartups {startups}
SetEnv "PATH={programs}:/usr/local/bin:/usr/bin:/bin" {environment}
{extra}
"""


@dataclass
class Sshd:
    """One machine behind SSH: this one. Programs in ``programs`` are found before the machine's own."""

    host_key_types: tuple[str, ...] = ("ed25519",)
    extra: str = ""
    environment: str = "SHLVL=1"  # so that bash leaves ~/.bashrc alone, which belongs to whoever runs the tests
    startups: str = "100"  # sshd's own is 10:30:100
    root: Path = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sshd-"))
        self.programs.mkdir()
        for kind in self.host_key_types:
            self.make_key(f"host_{kind}", kind)
        self.user_key = self.make_key("user")
        (self.root / "authorized_keys").write_text(self.public("user") + "\n")
        self.port = own_port()
        self._daemon: subprocess.Popen[bytes] | None = None
        self.know(self.port)

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    def start(self) -> "Sshd":
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd asks for it; the init system makes it elsewhere
        host_keys = "\n".join(f"HostKey {self.root}/host_{kind}" for kind in self.host_key_types)
        config = self.root / "sshd_config"
        config.write_text(
            _CONFIG.format(
                port=self.port,
                root=self.root,
                host_keys=host_keys,
                programs=self.programs,
                extra=self.extra,
                environment=self.environment,
                startups=self.startups,
            )
        )
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "these tests need the package openssh-server: make test installs it"
        with (self.root / "log").open("ab") as log:
            self._daemon = subprocess.Popen([program, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._daemon.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as plug:
                    if plug.recv(4) == b"SSH-":
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"sshd does not answer: {self.log()}")

    def stop(self) -> None:
        if self._daemon:
            self._daemon.terminate()
            self._daemon.wait()
            self._daemon = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def freeze(self) -> list[int]:
        """Stop all sessions as they stand, not the daemon; gives the processes, to be sent SIGCONT."""
        assert self._daemon
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
        found = [self._daemon.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        for pid in found[1:]:
            os.kill(pid, signal.SIGSTOP)
        return found[1:]

    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace") if (self.root / "log").exists() else ""

    def sessions(self) -> int:
        """How many programs were started so far: each is a round trip."""
        return len(re.findall("Starting session: ", self.log()))

    def logins(self) -> int:
        return len(re.findall("Accepted publickey ", self.log()))

    def make_key(self, name: str, kind: str = "ed25519", passphrase: str = "") -> Path:
        file = self.root / name
        for old in (file, file.with_suffix(".pub")):
            old.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", file], check=True)
        return file

    def public(self, name: str) -> str:
        return (self.root / f"{name}.pub").read_text().strip()

    def fingerprint(self, kind: str = "ed25519") -> str:
        shown = subprocess.run(
            ["ssh-keygen", "-lf", self.root / f"host_{kind}.pub"], check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def know(self, port: int) -> None:
        with self.known_hosts.open("a") as file:
            for kind in self.host_key_types:
                file.write(f"[127.0.0.1]:{port} {self.public(f'host_{kind}')}\n")

    def ssh(self, **changes: object) -> Ssh:
        """The options that reach it."""
        usual = {
            "host": "127.0.0.1", "port": self.port, "user": getpass.getuser(), "key_file": str(self.user_key),
            "known_hosts": str(self.known_hosts), "timeout": 10, "command_timeout": 10,
        }  # fmt: skip
        return Ssh.model_validate({k: v for k, v in {**usual, **changes}.items() if v is not None})

    def program(self, name: str, script: str) -> Path:
        """Put a program before the machine's own."""
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file


class Wire:
    """A port on loopback that leads to another one, until it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.octets = 0
        self.cut_after: int | None = None
        self.closed = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._spawn(self._accept)

    def cut(self) -> None:
        """All connections are lost; new ones may be made."""
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closed:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            with self._lock:
                self._ends += [near, far]
            self._spawn(self._carry, near, far, True)
            self._spawn(self._carry, far, near, False)

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with source:
            while True:
                try:
                    data = source.recv(16384)
                    if counted:
                        self.octets += len(data)
                        if self.cut_after is not None and self.octets > self.cut_after:
                            self.cut_after = None
                            self.cut()
                            return
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)
                except OSError:
                    return
