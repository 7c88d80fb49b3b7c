"""A private Dovecot that also speaks ManageSieve, with TLS, a master user and limits that a test can run into.

A refused login does not slow down the next ones: all tests come from one address.
"""

from tests.lab.dovecot import Dovecot
from tests.lab.ports import own_port

_EXTRA = """
protocols = imap sieve
auth_failure_delay = 0
auth_cache_size = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service managesieve-login {{
  chroot =
  service_count = 0
  inet_listener sieve {{
    port = {port}
  }}
}}
service managesieve {{
  process_limit = 500
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_quota_max_storage = 64k
  sieve_max_script_size = 64k
}}
{more}
"""


class SieveServer(Dovecot):
    """``sieve_port`` is where it listens; ``more`` is configuration of its own."""

    def __init__(self, name: str = "sieve", more: str = "") -> None:
        self.sieve_port = own_port()
        super().__init__(name, extra=_EXTRA.format(port=self.sieve_port, more=more))

    def put(self, user: str, script: str, content: bytes, *, active: bool = True) -> None:
        """A script as its user's editor would have put it, bytes as they are."""
        home = self.root / "mail" / user
        (home / "sieve").mkdir(parents=True, exist_ok=True)
        (home / "sieve" / f"{script}.sieve").write_bytes(content)
        if active:
            (home / ".dovecot.sieve").unlink(missing_ok=True)
            (home / ".dovecot.sieve").symlink_to(f"sieve/{script}.sieve")
        self.own(home)

    def scripts(self, user: str) -> dict[str, bytes]:
        """All scripts on disk; the active one's name has a star."""
        home = self.root / "mail" / user
        link = home / ".dovecot.sieve"
        active = link.readlink().name if link.is_symlink() else ""
        return {
            file.stem + ("*" if file.name == active else ""): file.read_bytes()
            for file in (home / "sieve").glob("*.sieve")
        }
