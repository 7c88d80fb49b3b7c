"""A private Cyrus on loopback, from the unpacked Debian package: its own folders, port and users.

Out of the box Cyrus 3.6 keeps the user's folders below ``INBOX.`` with dots between them; ``modern`` is what its
documentation recommends since 3.0: no prefix, and slashes (altnamespace, unixhierarchysep).
"""

import contextlib
import os
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

_PROGRAMS = f"{UNPACKED}/usr/lib/cyrus/bin"
_LIBRARIES = {"LD_LIBRARY_PATH": f"{UNPACKED}/usr/lib/x86_64-linux-gnu"}

_IMAPD = """
configdirectory: {root}/conf
proc_path: {root}/run/proc
mboxname_lockpath: {root}/run/lock
defaultpartition: default
partition-default: {root}/mail
altnamespace: {modern}
unixhierarchysep: {modern}
servername: localhost
cyrus_user: mail
cyrus_group: mail
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {root}/sasldb2
sasl_mech_list: PLAIN LOGIN
autocreate_quota: 0
idlesocket: {root}/run/idle
lmtpsocket: {root}/run/lmtp
notifysocket: {root}/run/notify
{extra}
"""

_CYRUS = """
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {root}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {root}/imapd.conf -U 200" listen="127.0.0.1:{port}" proto="tcp4" prefork=1
}}
EVENTS {{
}}
"""


@dataclass
class Cyrus:
    """One server; ``extra`` is configuration of its own."""

    name: str = "one"
    modern: bool = False
    extra: str = ""
    root: Path = field(init=False)
    port: int = field(init=False)
    _master: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        place = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix=f"cyrus-{self.name}-", dir=place))
        self.port = own_port()
        modern = "yes" if self.modern else "no"
        config = _IMAPD.format(root=self.root, modern=modern, extra=self.extra)
        (self.root / "imapd.conf").write_text(config)
        (self.root / "cyrus.conf").write_text(_CYRUS.format(root=self.root, programs=_PROGRAMS, port=self.port))
        for directory in ("conf", "run", "mail"):
            (self.root / directory).mkdir()

    @property
    def separator(self) -> str:
        return "/" if self.modern else "."

    def add_user(self, user: str, password: str | None = None) -> None:
        subprocess.run(
            ["saslpasswd2", "-p", "-c", "-f", self.root / "sasldb2", "-u", "localhost", user],
            input=(password or f"pw-{user}").encode(), check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> "Cyrus":
        for entry in (self.root, *self.root.rglob("*")):
            shutil.chown(entry, "mail", "mail")
        with self._said().open("ab") as said:
            self._master = subprocess.Popen(
                [f"{_PROGRAMS}/master", "-C", self.root / "imapd.conf", "-M", self.root / "cyrus.conf",
                 "-p", self.root / "run" / "pid"],
                env={**os.environ, **_LIBRARIES, "CYRUS_USER": "mail"}, stdin=subprocess.DEVNULL, stdout=said,
                stderr=said, start_new_session=True,  # its own signal to all children goes to the whole group
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if answers(self.port):
                return self
            time.sleep(0.02)
        raise AssertionError(f"Cyrus does not answer: {self._said().read_text()}")

    def stop(self) -> None:
        if self._master is not None:
            self._master.terminate()
            self._master.wait(PATIENCE)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._master.pid, signal.SIGKILL)  # children that have not heard of it yet
            self._master = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def _said(self) -> Path:
        return self.root / "said"
