"""One entry of the section ``mailboxes``."""

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Bytes, MailAddress, Password, Reference


class MailboxCopy(Frozen):
    """What holds for the copy of this mailbox alone."""

    approve: tuple[Literal["unstable"], ...] = ()
    """What a person has looked into and found right. unstable: the old server shows another text of a message at each
    reading (it rewrites links, or puts marks into it); what was copied is one of them."""


class Mailbox(Frozen):
    """One account."""

    address: MailAddress
    name: str = ""
    """The display name."""
    quota: Bytes | None = Field(default=None, ge=0)
    """In bytes or as "5 GiB"; 0 is unlimited; what stands there, if silent."""
    password: Password = "keep"  # noqa: S105 - the word of the spec, not a password
    """keep: carry the old hash; generate; or a secret reference (env:, file:, command:)."""
    forward_to: MailAddress | None = None
    """The old account, by a name that does not come back to the new server."""
    moved: bool | date = False
    """Whether (or from which day on) the user reads on the new server."""
    old_login: str | None = None
    """The login name on the old server, if it is not the address."""
    old_password: Reference | None = None
    """Reference to the password there, for copying mail."""
    new_login: str | None = None
    """The login name on the new server, if it is not the address."""
    mail_copy: MailboxCopy = Field(default=MailboxCopy(), alias="copy")
    """What holds for the copy of this mailbox alone."""
    old_mail: bool = True
    """false: the account is new, so that the old server has no mail of it to copy."""

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if any(not c.isprintable() for c in value):
            msg = f"the display name {value!r} has control characters"
            raise ValueError(msg)
        return value

    def login(self, place: str) -> str:
        """The login name on the old or the new server."""
        return (self.old_login if place == "old" else self.new_login) or self.address

    def has_moved(self, today: date) -> bool:
        """Whether the forward to the old server has ended on that day."""
        return self.moved if isinstance(self.moved, bool) else self.moved <= today
