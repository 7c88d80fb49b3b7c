"""Mailboxes and quotas of a Mail-in-a-Box: its users."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from reconciler.errors import WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.password_hash import is_hash
from reconciler.model.change import Change
from reconciler.model.secret import Secret
from reconciler.products.mailinabox.box import Box
from reconciler.products.mailinabox.change import carry_out
from reconciler.products.mailinabox.mail import User, of_domain, users
from reconciler.products.mailinabox.names import why_no_user
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.stores.before import verify

_SHORTEST: Final = 8  # characters of a password
_UNITS: Final = {"": 1, "M": 1024**2, "G": 1024**3}
_QUOTA: Final = re.compile(r"(?P<number>[0-9]+)(?P<unit>[MG]?)\Z")
_CHOICES: Final = (
    "give `password: generate` (with `generated_passwords`), or a reference to the password itself: env:NAME, "
    "file:PATH or command: PROGRAM …"
)


class MailboxStore:
    """The users of one domain. Removing one keeps the mail on the box's disk; making it again finds it there."""

    batch = 1

    def __init__(self, context: Context, box: Box) -> None:
        """Read nothing yet."""
        self._context = context
        self._box = box

    def read(self, names: Collection[str] | None = None) -> Iterator[Mailbox]:
        """Users have no display name here."""
        for name, _ in of_domain(users(self._box), self._context.domain):
            if names is None or name in names:
                yield Mailbox(place=self._context.place, name=name)

    def write(self, changes: Sequence[Change], /) -> None:
        """Add or remove a user."""
        for change in changes:
            standing = {mailbox.name: mailbox for mailbox in self.read({change.address.name})}
            verify([change], standing, self._box.where, unread=["password"])
            why = why_not(change) or self._why_stays(change)
            if why:
                raise WriteError(f"{change.address} was not written to {self._box.where}: {why}")
            if isinstance(change.after, Mailbox):
                self._add(change.after)
            else:
                self._call(change, "/mail/users/remove", email=change.address.name)

    def _add(self, mailbox: Mailbox) -> None:
        secret = self._password(mailbox)
        made = Change(None, Mailbox(place=mailbox.place, name=mailbox.name))  # as it is read, without the password
        fields = {"email": mailbox.name, "password": secret.reveal(), "privileges": "", "quota": "0"}
        self._call(made, "/mail/users/add", **fields)

    def _call(self, change: Change, path: str, **form: str) -> None:
        name = change.address.name
        carry_out(self._box, change, lambda: self._box.post(path, **form), lambda: next(iter(self.read({name})), None))

    def _password(self, mailbox: Mailbox) -> Secret:
        if mailbox.password is None:
            raise WriteError(f"{mailbox.address} has no password to be made with: {_CHOICES}. Nothing was written")
        secret = self._context.secrets.reveal(mailbox.password)
        why = ""
        if is_hash(secret.reveal()):
            why = f"what its password leads to is a hash, and {self._box.where} takes only passwords: {_CHOICES}"
        elif len(secret.reveal()) < _SHORTEST or not secret.reveal().strip():
            why = f"its password has less than {_SHORTEST} characters, which {self._box.where} does not take"
        if why:
            raise WriteError(f"{mailbox.address} was not made: {why}. Nothing was written")
        return secret

    def _why_stays(self, change: Change) -> str | None:
        if change.after is None and change.address.name == self._box.administrator:
            return "it is the administrator that this logs in as; remove it by hand in the end, or log in as another"
        return None


def why_not(change: Change) -> str | None:
    """Why the API cannot make a change of a mailbox; None if it can."""
    after = change.after
    if not isinstance(after, Mailbox):
        return None
    if change.before is not None:
        return "users have no display name there, and nothing else of one can be changed"
    if after.password and after.password.startswith("keep:"):
        return f"its API takes passwords, not hashes, so the old password of {after.name} cannot be kept: {_CHOICES}"
    return why_no_user(after.name)


class QuotaStore:
    """The limits of one domain's users. Every user has one, and 0 is none."""

    batch = 1

    def __init__(self, context: Context, box: Box) -> None:
        """Read nothing yet."""
        self._context = context
        self._box = box

    def read(self, names: Collection[str] | None = None) -> Iterator[Quota]:
        """Of the users that are limited."""
        for name, user in of_domain(users(self._box), self._context.domain):
            if (names is None or name in names) and (quota := self._quota(user)):
                yield quota

    def write(self, changes: Sequence[Change], /) -> None:
        """Set a limit, or none."""
        for change in changes:
            self._write(change)

    def _write(self, change: Change) -> None:
        name = change.address.name
        user = users(self._box).get(name)
        verify([change], {name: quota} if user and (quota := self._quota(user)) else {}, self._box.where)
        if user is None or user.quota is None:
            why = (
                "there is no such user; make the mailbox first"
                if user is None
                else "this version of the box has no quotas; upgrade it, or leave quota out of the spec"
            )
            raise WriteError(f"{change.address} was not written to {self._box.where}: {why}")
        size = change.after.size if isinstance(change.after, Quota) else 0
        if change.before is None and not size:
            return
        carry_out(
            self._box,
            Change(change.before, change.after if size else None),
            lambda: self._box.post("/mail/users/quota", email=name, quota=written(size)),
            lambda: next(iter(self.read({name})), None),
        )

    def _quota(self, user: User) -> Quota | None:
        size = in_bytes(user.quota or "0")
        return Quota(place=self._context.place, name=user.address, size=size) if size else None


def in_bytes(text: str) -> int | None:
    """What ``5G``, ``100M`` or a number of bytes stands for; None for what is no quota."""
    found = _QUOTA.match(text.strip().upper())
    return int(found["number"]) * _UNITS[found["unit"]] if found else None


def written(size: int) -> str:
    """A number of bytes in the largest unit that leaves no rest."""
    for unit, factor in reversed(_UNITS.items()):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return "0"
