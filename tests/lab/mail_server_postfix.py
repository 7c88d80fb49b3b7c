"""A private Postfix: its own configuration, queue, data and log; started as its master, stopped by process id.

Nothing of /etc/postfix is used. It must be started by root, because Postfix gives its parts to several users. It asks
no DNS: routes say where mail for other domains goes, by address and port, and all else is refused.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from grp import getgrnam
from pathlib import Path

from tests.lab.loopback import ENDS_WITH_US, SMTP, SUBMISSION
from tests.lab.patience import PATIENCE

_PROGRAMS = Path("/usr/lib/postfix/sbin")
# The master changes its user for a moment, and then Linux forgets with whom it is to end (prctl(2)): a shell remembers.
_KEEPER = 'trap "kill -TERM \\$master" TERM; setsid "$@" & master=$!; wait $master; wait $master'
_QUEUES = ("incoming", "active", "deferred", "maildrop", "hold", "corrupt")
_OWN = ("bounce", "defer", "flush", "trace", "saved", "private")

_MAIN = """
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
daemon_directory = {programs}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/log
maillog_file_prefixes = {root}
import_environment = MAIL_CONFIG
export_environment = TZ LANG

myhostname = {host}
myorigin = {host}
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.1/32 {address}/32
inet_interfaces = all
inet_protocols = ipv4
smtp_bind_address = {address}
smtp_dns_support_level = disabled
smtpd_peername_lookup = no

virtual_mailbox_domains = hash:{root}/domains
virtual_mailbox_maps = hash:{root}/mailboxes
virtual_alias_domains = {alias_domains}
virtual_alias_maps = hash:{root}/virtual
virtual_transport = lmtp:unix:{lmtp}
transport_maps = texthash:{root}/routes
default_transport = error:this lab has no route there
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination

queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
smtp_connect_timeout = 30s
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
default_destination_concurrency_limit = 10
disable_vrfy_command = yes
biff = no
"""
_MASTER = """
{address}:{smtp} inet n - n - - smtpd
{address}:{submission} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path={auth}
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_milters={milter}
  -o milter_default_action=tempfail
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """One instance below ``root``. ``routes``: domain to ``ADDRESS:PORT``; ``alias_domains``: kept in virtual alone."""

    root: Path
    host: str
    address: str
    lmtp: Path
    auth: Path
    milter: str
    routes: Mapping[str, str]
    alias_domains: tuple[str, ...] = ()
    _master: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        assert os.geteuid() == 0, "Postfix is started by root alone: run these tests as root"
        assert (_PROGRAMS / "master").exists(), "these tests need the package postfix: make test installs it"
        self.root.mkdir(mode=0o755)
        self._directories()
        values = {
            "root": self.root, "programs": _PROGRAMS, "host": self.host, "address": self.address, "lmtp": self.lmtp,
            "auth": self.auth, "milter": self.milter, "alias_domains": " ".join(self.alias_domains),
            "smtp": SMTP, "submission": SUBMISSION,
        }  # fmt: skip
        (self.root / "main.cf").write_text(_MAIN.format(**values))
        (self.root / "master.cf").write_text(_MASTER.format(**values))
        routes = "".join(
            f"{domain} smtp:[{where.partition(':')[0]}]:{where.partition(':')[2]}\n"
            for domain, where in self.routes.items()
        )
        (self.root / "routes").write_text(routes)
        for name in ("main.cf", "master.cf", "routes"):
            os.utime(self.root / name, (0, 0))  # of a file that was written in this second Postfix waits for the next
        for name in ("domains", "mailboxes", "virtual"):
            self.map(name, {})

    def _directories(self) -> None:
        owner, group = pwd.getpwnam("postfix"), getgrnam("postdrop")
        (self.root / "spool").mkdir()
        (self.root / "spool" / "pid").mkdir()
        for name in (*_QUEUES, *_OWN, "public"):
            path = self.root / "spool" / name
            path.mkdir(mode=0o700)
            os.chown(path, owner.pw_uid, group.gr_gid if name in {"maildrop", "public"} else 0)
        (self.root / "spool" / "maildrop").chmod(0o730)
        (self.root / "spool" / "public").chmod(0o710)
        (self.root / "data").mkdir(mode=0o700)
        os.chown(self.root / "data", owner.pw_uid, owner.pw_gid)

    def map(self, name: str, entries: Mapping[str, str]) -> Path:
        """Write a map anew, as an administrator does, with its index."""
        file = self.root / name
        file.write_text("".join(f"{key} {value}\n" for key, value in entries.items()))
        program = shutil.which("postmap", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "these tests need the package postfix: make test installs it"
        subprocess.run([program, "-c", self.root, f"hash:{file}"], check=True)
        return file

    def start(self) -> "Postfix":
        with (self.root / "said").open("ab") as said:
            self._master = subprocess.Popen(
                [*ENDS_WITH_US, "sh", "-c", _KEEPER, "postfix", _PROGRAMS / "master", "-c", self.root, "-d"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._master.poll() is None:
            try:
                with socket.create_connection((self.address, SMTP), 1) as plug:
                    if plug.recv(4) == b"220 ":
                        plug.sendall(b"QUIT\r\n")
                        plug.recv(100)
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"Postfix does not answer: {self.log()}")

    def stop(self) -> None:
        """The master ends its children; what they had not finished stays in the queue."""
        if self._master is None:
            return
        self._master.terminate()
        try:
            self._master.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._master.pid, signal.SIGKILL)
            self._master.wait()
        self._master = None

    def reload_command(self) -> tuple[str, ...]:
        return ("/usr/sbin/postfix", "-c", str(self.root), "reload")

    def queued(self) -> int:
        """How many messages are still under way."""
        return sum(
            1
            for name in _QUEUES
            for path in (self.root / "spool" / name).rglob("*")
            if not path.is_dir()
        )  # fmt: skip

    def log(self) -> str:
        return "".join(
            file.read_text(errors="replace") for name in ("said", "log") if (file := self.root / name).exists()
        )
