"""A private Courier IMAP on loopback, from the unpacked Debian package.

Courier finds its passwords, its socket and its modules under paths that are compiled in. So each server gets a root
directory of its own, with the programs, the libraries that they need, and nothing else of this machine.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.imap_client import UNPACKED, answers
from tests.lab.patience import PATIENCE
from tests.lab.ports import own_port

_LIBRARIES = {"LD_LIBRARY_PATH": f"{UNPACKED}/usr/lib"}
_AUTH = "usr/lib/courier/courier-authlib/authdaemond"
_TCPD = "usr/sbin/couriertcpd"
_LOGIN = "usr/lib/courier/courier/imaplogin"
_IMAPD = "usr/bin/imapd"
_MODULE = "usr/lib/courier-authlib/libauthuserdb.so.0"
_MONITOR = "usr/libexec/gam_server"  # each login waits a second where there is none
_MAKE_TABLE = f"{UNPACKED}/usr/lib/courier/courier-authlib/makedatprog"
_OWNER = (8, 8)  # Debian's user mail

_SETTINGS = {
    "IMAP_CAPABILITY": (
        "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
    ),  # as Debian's /etc/courier/imapd
    "IMAP_KEYWORDS": "1",
    "IMAP_ACL": "1",
    "IMAP_USELOCKS": "1",  # without it two connections that add to one folder show messages twice
    "IMAP_ENHANCEDIDLE": "0",
    "IMAP_UMASK": "022",
    "IMAP_MOVE_EXPUNGE_TO_TRASH": "0",
}

_AUTHDAEMON = """
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
subsystem=mail
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
LOGGEROPTS=""
"""


@dataclass
class Courier:
    """One server, its passwords in Courier's userdb."""

    name: str = "one"
    separator = "."
    root: Path = field(init=False)
    port: int = field(init=False)
    _users: dict[str, str] = field(init=False, default_factory=dict)
    _running: list[subprocess.Popen[bytes]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        place = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix=f"courier-{self.name}-", dir=place))
        self.root.chmod(0o755)
        self.port = own_port()
        for directory in ("etc/courier", "run/courier/authdaemon", "dev", "tmp", "mail"):
            (self.root / directory).mkdir(parents=True)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "etc/passwd").write_text("mail:x:8:8::/:/bin/false\n")
        (self.root / "dev/null").touch()
        (self.root / "dev/null").chmod(0o666)
        (self.root / "etc/courier/authdaemonrc").write_text(_AUTHDAEMON)
        for program in (_AUTH, _TCPD, _LOGIN, _IMAPD, _MODULE):
            self._take_in(Path(UNPACKED), program)
        self._take_in(Path("/"), _MONITOR)

    def _take_in(self, above: Path, program: str) -> None:
        place = self.root / program
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(above / program, place)
        needed = subprocess.run(
            ["ldd", above / program], env={**os.environ, **_LIBRARIES}, capture_output=True, check=True
        ).stdout.decode()
        for library in re.findall(r"(/\S+) \(0x", needed):
            into = self.root / ("lib64" if "/ld-linux" in library else "usr/lib") / Path(library).name
            into.parent.mkdir(exist_ok=True)
            if not into.exists():
                shutil.copy(library, into)

    def add_user(self, user: str, password: str | None = None) -> None:
        """Before the start; with an empty mailbox, for Courier makes none."""
        hashed = subprocess.run(
            [f"{UNPACKED}/usr/sbin/userdbpw", "-md5"], input=(password or f"pw-{user}").encode() + b"\n",
            env={**os.environ, **_LIBRARIES}, check=True, capture_output=True,
        ).stdout.decode()  # fmt: skip
        self._users[user] = hashed.strip()
        for part in ("cur", "new", "tmp"):
            (self.maildir(user) / part).mkdir(parents=True, exist_ok=True)

    def maildir(self, user: str) -> Path:
        return self.root / "mail" / user / "Maildir"

    def start(self) -> "Courier":
        uid, gid = _OWNER
        self._table("userdb", {u: f"uid={uid}|gid={gid}|home=/mail/{u}|mail=/mail/{u}/Maildir" for u in self._users})
        self._table("userdbshadow", {user: f"systempw={hashed}" for user, hashed in self._users.items()})
        for entry in (self.root / "mail").rglob("*"):
            os.chown(entry, *_OWNER)
        self._run(_AUTH)
        self._run(
            _TCPD, "-address=127.0.0.1", "-maxprocs=100", "-maxperip=100", "-nodnslookup", "-noidentlookup",
            str(self.port), f"/{_LOGIN}", f"/{_IMAPD}", "Maildir",
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if answers(self.port) and (self.root / "run/courier/authdaemon/socket").exists():
                return self
            time.sleep(0.02)
        raise AssertionError(f"Courier does not answer: {self.log()}")

    def _table(self, name: str, entries: dict[str, str]) -> None:
        place = self.root / "etc/courier" / name
        lines = "".join(f"{key}\t{value}\n" for key, value in entries.items())
        subprocess.run(
            [_MAKE_TABLE, "-", f"{place}.tmp", f"{place}.dat"], input=f"{lines}.\n".encode(),
            env={**os.environ, **_LIBRARIES}, check=True, capture_output=True,
        )  # fmt: skip

    def _run(self, program: str, *argv: str) -> None:
        settings = {"PATH": "/usr/bin", "LD_LIBRARY_PATH": "/usr/lib", "GAM_CLIENT_ID": self.root.name, **_SETTINGS}
        chroot = shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert chroot
        command = [chroot, str(self.root), f"/{program}", *argv]
        with (self.root / "said").open("ab") as said:
            self._running.append(
                subprocess.Popen(command, env=settings, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            )

    def log(self) -> str:
        return (self.root / "said").read_text(errors="replace")

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
            process.wait(PATIENCE)
        self._running.clear()
        for entry in Path("/proc").glob("[0-9]*"):  # what these have started: nothing else lives in that root
            with contextlib.suppress(OSError):
                if (entry / "root").readlink() == self.root:
                    os.kill(int(entry.name), signal.SIGKILL)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)
