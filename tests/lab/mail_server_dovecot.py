"""The Dovecot of a mail server: IMAP, LMTP with Sieve and quota, ManageSieve, and logins for Postfix."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt

from tests.lab.dovecot import Dovecot
from tests.lab.loopback import ENDS_WITH_US, SMTP
from tests.lab.patience import PATIENCE
from tests.lab.ports import own_port

_CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols = imap lmtp sieve
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_master_user_separator = *
auth_verbose = yes
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_fsync = never
default_vsz_limit = 1G
default_client_limit = 2000
mail_plugins = quota
postmaster_address = postmaster@{host}
hostname = {host}
submission_host = {address}:{smtp}
passdb {{
  driver = passwd-file
  args = {root}/masters
  master = yes
  result_success = continue
}}
passdb {{
  driver = passwd-file
  args = scheme=CRYPT username_format=%u {root}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {root}/users
}}
namespace inbox {{
  inbox = yes
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
plugin {{
  quota = maildir:User quota
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
service auth {{
  unix_listener auth-postfix {{
    mode = 0666
  }}
}}
service lmtp {{
  process_min_avail = 2
  unix_listener lmtp {{
    mode = 0666
  }}
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
service managesieve-login {{
  service_count = 0
  chroot =
  inet_listener sieve {{
    port = {sieve_port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class MailDovecot(Dovecot):
    """Accounts stand in a passwd-file with uid, gid and home; what Sieve forwards goes to Postfix at ``address``."""

    address: str = "127.0.0.1"
    host: str = "localhost"
    sieve_port: int = field(init=False)
    _master: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sieve_port = own_port()
        self.config.write_text(
            _CONFIG.format(
                root=self.root, host=self.host, address=self.address, smtp=SMTP, port=self.port,
                tls_port=self.tls_port, sieve_port=self.sieve_port,
            )
        )  # fmt: skip

    def start(self) -> "MailDovecot":
        with (self.root / "started").open("ab") as said:
            self._master = subprocess.Popen(
                [*ENDS_WITH_US, "dovecot", "-F", "-c", self.config],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._master.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as plug:
                    if plug.recv(10).startswith(b"* OK"):
                        return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"Dovecot does not answer: {self.log()}")

    def stop(self) -> None:
        if self._master is None:
            return
        self._master.terminate()
        try:
            self._master.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            self._master.wait()
        self._master = None

    @property
    def users(self) -> Path:
        """The passwd-file."""
        return self.root / "users"

    @property
    def lmtp(self) -> Path:
        return self.root / "run" / "lmtp"

    @property
    def auth(self) -> Path:
        return self.root / "run" / "auth-postfix"

    @property
    def owner(self) -> tuple[int, int]:
        """uid and gid of stored mail."""
        return self._owner

    def home(self, user: str) -> Path:
        return self.root / "mail" / user

    def add_account(self, user: str, password: str, extra: str = "") -> str:
        """With a hash that another server can take over; cheap, because the tests log in often."""
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        uid, gid = self._owner
        with self.users.open("a") as file:
            file.write(f"{user}:{{BLF-CRYPT}}{hashed}:{uid}:{gid}::{self.home(user)}::{extra}\n")
        return hashed

    def put_script(self, user: str, name: str, content: str) -> Path:
        """An active Sieve script, as its user's editor leaves it."""
        folder = self.home(user) / "sieve"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.sieve"
        file.write_text(content, newline="")
        link = self.home(user) / ".dovecot.sieve"
        link.unlink(missing_ok=True)
        link.symlink_to(f"sieve/{name}.sieve")
        self.own(self.home(user))
        os.chown(self.home(user), *self._owner)
        return file
