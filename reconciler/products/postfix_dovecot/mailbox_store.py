"""Mailboxes in Dovecot's passwd-file, known to Postfix through its maps."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from reconciler.errors import SecretError, WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.line_text import Edit
from reconciler.formats.mail_server.passwd_file import Account, Accounts, new_line
from reconciler.formats.mail_server.password_hash import is_cut_short, tagged, to_store
from reconciler.formats.mail_server.virtual_map import Map, keep_from_catch_all, line, remove
from reconciler.formats.templates import filled
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.secret import Secret
from reconciler.resources.server.mailbox import Mailbox
from reconciler.stores.accounts_file import AccountsFile
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.postfix_map import PostfixMap
from reconciler.wording.lists import listed

BATCH: Final = 500  # one rewrite of each file for as many changes


@dataclass(frozen=True, slots=True)
class NewLines:
    """What new accounts get: uid and gid (None: those of the first account) and a template for the home."""

    uid: str | None
    gid: str | None
    home: str | None
    map_value: str


class MailboxStore:
    """The accounts of one domain. Removing one removes its lines; stored mail is never touched.

    On the new server only a line goes that says no more than one that is made here: what else stands on it (other extra
    fields, another home) was put there by somebody. On the old server all of an account goes that the spec declares.
    """

    batch = BATCH

    def __init__(
        self,
        context: Context,
        accounts: AccountsFile,
        aliases: PostfixMap[Map],
        recipients: PostfixMap[Map] | None,
        *,
        new: NewLines,
        default_scheme: str,
    ) -> None:
        """``recipients`` is virtual_mailbox_maps, where Postfix has one."""
        self._context = context
        self._accounts = accounts
        self._aliases = aliases
        self._recipients = recipients
        self._new = new
        self._default_scheme = default_scheme

    def read(self, names: Collection[str] | None = None) -> Iterator[Mailbox]:
        """The accounts in file order; nothing tells where their passwords came from."""
        for name, account in self._accounts.file.read().by_address.items():
            if names is None or name in names:
                yield self._mailbox(name, account)

    def write(self, changes: Sequence[Change], /) -> None:
        """Add, rename or remove accounts.

        Dovecot knows an account before Postfix sends mail there, and as long as it does.
        """
        added = [change.after for change in changes if not change.before and isinstance(change.after, Mailbox)]
        passwords = self._passwords(added)  # first, because it takes long: nobody should wait for our lock meanwhile
        maps = (self._aliases, self._recipients) if self._recipients else (self._aliases,)
        with self._accounts.file.locked(*(postfix_map.file for postfix_map in maps)):
            self._write(changes, added, passwords)

    def _write(self, changes: Sequence[Change], added: Sequence[Mailbox], passwords: Mapping[str, Secret]) -> None:
        accounts = self._accounts.file.fresh()
        standing = {
            name: self._mailbox(name, account)
            for change in changes
            if (account := accounts.by_address.get(name := change.address.name))
        }
        verify(changes, standing, self._accounts.file.path, unread=["password"])
        removed = {change.address.name for change in changes if change.after is None}
        if self._context.place is Place.NEW:
            for name in sorted(removed):
                self._must_be_ours(accounts, name)
        edit = Edit(accounts.text)
        for change in changes:
            if change.before and isinstance(change.after, Mailbox):
                account = accounts.by_address[change.after.name]
                edit.replace(account.index, account.with_display_name(_gecos(change.after)))
        for name in removed:
            edit.replace(accounts.by_address[name].index)
        edit.append(*(self._line(accounts.first, mailbox, passwords[mailbox.name]) for mailbox in added))
        names = [name for name in accounts.by_address if name not in removed]
        with Attempt(self._accounts.file.transport) as attempt:
            self._tell_postfix(attempt, names, [], removed)
            attempt.write(self._accounts.file.path, edit.content(), over=edit.over)
            self._tell_postfix(attempt, [*names, *(mailbox.name for mailbox in added)], added, set())

    def password_hash(self, address: str) -> Secret:
        """The hash of an account, with its ``{SCHEME}``.

        Raises:
            SecretError: there is no such account, it has no password here, or only the beginning of one.

        """
        account = self._accounts.file.read().by_address.get(address)
        if account is None or not account.password:
            raise SecretError(
                f"the password of {address} cannot be carried: {self._accounts.file.path} has "
                f"{'no such account' if account is None else 'no password for it'}; give one by reference, or generate"
            )
        if is_cut_short(account.password):
            raise SecretError(
                f"the password of {address} cannot be carried: {self._accounts.file.path}:{account.index + 1}: the end "
                "of the hash is missing, and nobody could log in with it; was the line written in full? Restore it, "
                "or give a password by reference, or generate"
            )
        return tagged(account.password, self._default_scheme)

    def _mailbox(self, name: str, account: Account) -> Mailbox:
        shown = account.display_name
        stored = shown if account.is_latin_1 else None
        return Mailbox(place=self._context.place, name=name, display_name=shown, stored=stored)

    def _must_be_ours(self, accounts: Accounts, name: str) -> None:
        """Refuse to remove what was not made here.

        Raises:
            WriteError: names the fields, and not what is in them.

        """
        account = accounts.by_address[name]
        home = self._home(name) or ""
        beyond = account.beyond(uid=self._new.uid, gid=self._new.gid, home=home)
        where = f"{accounts.text.path}:{account.index + 1}"
        entry = self._recipients.file.read().by_key.get(name) if self._recipients else None
        if not beyond and self._recipients and entry and entry.value != filled(self._new.map_value, name):
            beyond = [f"another value than {self._new.map_value}"]
            where = f"{self._recipients.path}:{entry.rows[0] + 1}"
        if beyond:
            raise WriteError(
                f"{self._context.place}/mailbox/{name} is not removed: {where} has {listed(beyond)}, which was not "
                "written here and would be lost; if it may go, take it out by hand and try again. Nothing was written"
            )

    def _home(self, name: str) -> str | None:
        """The home field of a new line; None where a slash in the address would lead elsewhere."""
        home = filled(self._new.home, name) if self._new.home else ""
        return str(self._context.base / home) if home else home

    def _line(self, first: Account | None, mailbox: Mailbox, password: Secret) -> str:
        uid, gid = first.owner if first else ("", "")
        home = self._home(mailbox.name)
        if home is None or mailbox.name.startswith("#"):
            raise WriteError(
                f"{mailbox.address} cannot be made: with a slash or a leading # in its local part it would be read as "
                "another folder or as a comment; choose another address"
            )
        uid = uid if self._new.uid is None else self._new.uid
        gid = gid if self._new.gid is None else self._new.gid
        return new_line(mailbox.name, password.reveal(), uid=uid, gid=gid, display_name=_gecos(mailbox), home=home)

    def _passwords(self, mailboxes: Sequence[Mailbox]) -> dict[str, Secret]:
        """What goes into the password fields. Hashing takes all cores: bcrypt is slow by design."""
        revealed = [(mailbox, self._reveal(mailbox)) for mailbox in mailboxes]
        with ThreadPoolExecutor() as pool:
            stored = pool.map(lambda pair: _to_store(*pair), revealed)
            return {mailbox.name: secret for mailbox, secret in zip(mailboxes, stored, strict=True)}

    def _reveal(self, mailbox: Mailbox) -> Secret:
        if mailbox.password is None:
            raise WriteError(
                f"{mailbox.address} cannot be made without a password: the spec must say keep, generate or a reference"
            )
        try:
            return self._context.secrets.reveal(mailbox.password)
        except SecretError as error:
            raise WriteError(f"{mailbox.address} cannot be made, its password is not to be had: {error}") from error

    def _tell_postfix(
        self, attempt: Attempt, names: Sequence[str], added: Sequence[Mailbox], removed: AbstractSet[str]
    ) -> None:
        if not added and not removed:
            return
        if self._recipients:
            self._list_recipients(attempt, self._recipients, added, removed)
        aliases = self._aliases.file.fresh()
        if f"@{self._context.domain}" not in aliases.by_key:
            return
        kept = set(aliases.block.kept if aliases.block else ()) | {mailbox.name for mailbox in added}
        edit = Edit(aliases.text)
        kept_in_order = [name for name in names if name in kept and name not in aliases.by_key]
        keep_from_catch_all(edit, aliases, self._context.domain, kept_in_order)
        if edit.content() != aliases.text.content:
            self._aliases.write(attempt, edit.content(), over=edit.over)

    def _list_recipients(
        self, attempt: Attempt, file: PostfixMap[Map], added: Sequence[Mailbox], removed: AbstractSet[str]
    ) -> None:
        recipients = file.file.fresh()
        edit = Edit(recipients.text)
        for name in removed & recipients.by_key.keys():
            remove(edit, recipients.by_key[name])
        for mailbox in added:
            if mailbox.name not in recipients.by_key:
                value = filled(self._new.map_value, mailbox.name)
                if value is None:
                    raise WriteError(
                        f"{mailbox.address} cannot be listed in {file.path}: the slash in its local part would lead "
                        "into another folder; choose another address"
                    )
                edit.append(line(mailbox.name, [value]))
        if edit.content() != recipients.text.content:
            file.write(attempt, edit.content(), over=edit.over)


def _to_store(mailbox: Mailbox, secret: Secret) -> Secret:
    try:
        return to_store(secret)
    except ValueError as error:
        raise WriteError(f"{mailbox.address} cannot be made, its password is of no use: {error}") from error


def _gecos(mailbox: Mailbox) -> str:
    name = mailbox.display_name
    if ":" in name or not name.isprintable():
        raise WriteError(
            f"{mailbox.address}: the display name {name!r} has a colon or control characters, which a passwd-file "
            "cannot hold; write it without"
        )
    if mailbox.stored == name and all(character <= "\xff" for character in name):
        return name.encode("latin-1").decode("utf-8", "surrogateescape")
    return name
