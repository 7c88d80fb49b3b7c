"""Private Dovecots on loopback: real servers with their own configuration, ports and mail, gone at the end.

Nothing of /etc/dovecot is used. Mail lies on tmpfs where the machine has one.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.patience import PATIENCE
from tests.lab.ports import own_port

MASTER = ("migrator", "masterpw")

_CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login {mechanisms}
auth_failure_delay = 0
auth_master_user_separator = *
mail_location = {location}
first_valid_uid = 1
mail_max_userip_connections = 500
mail_fsync = {fsync}
default_vsz_limit = 1G
{users}
passdb {{
  driver = passwd-file
  args = {root}/masters
  master = yes
  result_success = continue
}}
passdb {{
  driver = passwd-file
  args = {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u {userdb}
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
  {special_use}
}}
service imap-login {{
  service_count = 0
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service doveadm {{
  inet_listener {{
    address = 127.0.0.1
    port = {doveadm_port}
  }}
}}
doveadm_password = doveadm-secret
service imap {{
  process_limit = 500
}}
service anvil {{
  chroot =
}}
{extra}
"""

_SPECIAL_USE = """
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
  mailbox Junk {
    auto = create
    special_use = \\Junk
  }
"""


def kill(master: Path) -> None:
    """The Dovecot whose file of its process number this is, with all its children; it is gone when this returns."""
    pids = [int(master.read_text())]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pids[0]:
                pids.append(int(stat.parent.name))
        except (OSError, ValueError):
            continue
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(map(_lives, pids)):
        time.sleep(0.005)
    master.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@dataclass(frozen=True)
class Seen:
    """One message as ``doveadm fetch`` and the disk show it: folder, flags, received (seconds), content."""

    folder: str
    flags: frozenset[str]
    received: int
    content: bytes


@dataclass
class Dovecot:
    """One server; ``extra`` is configuration of its own, ``place`` where its mail lies."""

    name: str = "one"
    separator: str = "/"
    prefix: str = ""
    special_use: bool = False
    extra: str = ""
    mechanisms: str = ""
    userdb: str = "master_user=%u"
    location: str = "maildir:~/Maildir"
    fsync: str = "never"
    place: str | None = "/dev/shm" if Path("/dev/shm").is_dir() else None
    root: Path = field(init=False)
    port: int = field(init=False)
    tls_port: int = field(init=False)
    doveadm_port: int = field(init=False)

    def __post_init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=f"dovecot-{self.name}-", dir=self.place))
        self.root.chmod(0o755)
        self.port, self.tls_port, self.doveadm_port = (own_port() for _ in range(3))
        self._owner = (8, 8) if os.geteuid() == 0 else (os.geteuid(), os.getegid())  # Debian's user mail
        (self.root / "mail").mkdir()
        os.chown(self.root / "mail", *self._owner)
        (self.root / "masters").write_text("{}:{{PLAIN}}{}\n".format(*MASTER))
        (self.root / "users").write_text("")
        self._certificate()
        me = "" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        own = f"default_internal_user = {me}\ndefault_login_user = {me}" if me else ""
        self.config = self.root / "dovecot.conf"
        self.config.write_text(
            _CONFIG.format(
                root=self.root, ssl="yes", mechanisms=self.mechanisms, location=self.location, users=own,
                uid=self._owner[0], gid=self._owner[1], userdb=self.userdb, separator=self.separator,
                prefix=self.prefix, fsync=self.fsync, special_use=_SPECIAL_USE if self.special_use else "",
                port=self.port, tls_port=self.tls_port, doveadm_port=self.doveadm_port, extra=self.extra,
            )
        )  # fmt: skip

    def _certificate(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.root / "key.pem", "-out", self.root / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> "Dovecot":
        with (self.root / "started").open("wb") as said:  # a pipe would stay open in the daemon
            subprocess.run(["dovecot", "-c", self.config], check=True, stdout=said, stderr=said)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as plug:
                    if plug.recv(10).startswith(b"* OK"):
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"Dovecot does not answer: {self.log()}")

    def stop(self) -> None:
        subprocess.run(["doveadm", "-c", self.config, "stop"], check=False, capture_output=True)

    def kill(self) -> None:
        """Everything at once, as a power cut does it."""
        kill(self.root / "run" / "master.pid")

    def remove(self) -> None:
        """At once: to stop in good order takes seconds, and nothing of it is kept."""
        if (self.root / "run" / "master.pid").exists():
            self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self) -> str:
        return (self.root / "log").read_text() if (self.root / "log").exists() else ""

    def add_user(self, user: str, password: str | None = None) -> str:
        with (self.root / "users").open("a") as file:
            file.write(f"{user}:{{PLAIN}}{password or 'pw-' + user}\n")
        return user

    def set_password(self, user: str, password: str) -> None:
        lines = [line for line in (self.root / "users").read_text().splitlines() if not line.startswith(f"{user}:")]
        (self.root / "users").write_text("".join(f"{line}\n" for line in [*lines, f"{user}:{{PLAIN}}{password}"]))

    def maildir(self, user: str) -> Path:
        return self.root / "mail" / user / "Maildir"

    def own(self, path: Path) -> None:
        """Give files that a test wrote to the user that Dovecot reads them as."""
        for entry in [path, *path.rglob("*")]:
            os.chown(entry, *self._owner, follow_symlinks=False)

    def doveadm(self, *argv: str, check: bool = True) -> str:
        done = subprocess.run(["doveadm", "-c", self.config, *argv], check=False, capture_output=True)
        if check and done.returncode:
            raise AssertionError(f"doveadm {argv}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8", "replace")

    def folders(self, user: str) -> set[str]:
        return set(self.doveadm("mailbox", "list", "-u", user).splitlines())

    def seen(self, user: str) -> Counter[Seen]:
        """The whole mailbox, read by doveadm and from the files on disk; folder names joined by slashes."""
        rows = self.doveadm(
            "-f", "tab", "fetch", "-u", user, "mailbox flags date.received.unixtime guid", "ALL"
        ).splitlines()[1:]
        files = {
            file.name.partition(":")[0]: file
            for file in self.maildir(user).rglob("*")
            if file.parent.name in {"cur", "new"}
        }
        found: Counter[Seen] = Counter()
        for row in rows:
            folder, flags, received, guid = row.split("\t")
            kept = frozenset(f for f in flags.split() if f != "\\Recent")
            content = files[guid].read_bytes().replace(b"\r", b"")
            found[
                Seen(folder.removeprefix(self.prefix).replace(self.separator, "/"), kept, int(received), content)
            ] += 1
        return found
