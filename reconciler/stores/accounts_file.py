"""The passwd-file of one domain as the stores share it: read once, and where each account lives."""

import posixpath
from dataclasses import dataclass
from pathlib import Path

from reconciler.formats.mail_server.passwd_file import Account, Accounts
from reconciler.formats.templates import filled
from reconciler.stores.line_file import LineFile


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """The file, and ``mail_home``: the template for lines without a home. Relative paths begin at ``base``."""

    file: LineFile[Accounts]
    base: Path
    mail_home: str | None

    def home(self, address: str, account: Account) -> str | None:
        """Where Dovecot keeps the account; None if neither its line nor the options say."""
        home = account.home or (filled(self.mail_home, address) if self.mail_home else None)
        if not home:
            return None
        path = home if home.startswith("/") else f"{self.base}/{home}"
        return posixpath.normpath(path) if "/.." in path else path
