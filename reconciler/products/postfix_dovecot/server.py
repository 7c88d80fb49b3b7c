"""A server of Postfix, Dovecot and OpenDKIM, by their own files: on this machine, or on one behind SSH.

Everything that this did not write stays as it was, comments and order too. Each write is atomic, keeps owner and mode
and follows a symbolic link to the file itself. Files that were made here begin with ``# made by reconciler`` and go
when nothing else is left in them.

Source: Dovecot 2.3 (passwd-file, Pigeonhole), Postfix 3.7 (virtual(5), postmap(1)), OpenDKIM 2.11; run on Debian 12.
"""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from reconciler.extend import Backend, Context, Opened
from reconciler.formats.mail_server.line_text import Text
from reconciler.formats.mail_server.opendkim_tables import parse_keys, parse_signers
from reconciler.formats.mail_server.passwd_file import parse as parse_accounts
from reconciler.formats.mail_server.virtual_map import parse as parse_map
from reconciler.formats.templates import checked_template, filled
from reconciler.model.address import Place
from reconciler.ports import Store, Transport
from reconciler.products.postfix_dovecot.alias_store import AliasStore, CatchAllStore
from reconciler.products.postfix_dovecot.domain_store import DomainKeptElsewhere, DomainStore
from reconciler.products.postfix_dovecot.domain_store import parse as parse_domains
from reconciler.products.postfix_dovecot.mailbox_store import MailboxStore, NewLines
from reconciler.products.postfix_dovecot.quota_store import QuotaStore
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.frozen import Frozen
from reconciler.stores.accounts_file import AccountsFile
from reconciler.stores.line_file import LineFile
from reconciler.stores.postfix_map import TYPES, PostfixMap
from reconciler.stores.sieve_files import SieveStore
from reconciler.transports.local import LocalTransport
from reconciler.transports.managesieve.options import ManageSieve
from reconciler.transports.ssh.options import Ssh

if TYPE_CHECKING:
    from reconciler.stores.opendkim import DkimKeyStore

T = TypeVar("T")
Template = Annotated[str, AfterValidator(checked_template)]


class OpenDkim(Frozen):
    """Where OpenDKIM's tables are; ``file:`` or ``refile:`` may stand before a path, as in opendkim.conf."""

    key_table: str
    """KeyTable: `NAME DOMAIN:SELECTOR:PATH` lines."""
    signing_table: str
    """SigningTable: `PATTERN NAME` lines; the first that matches signs."""
    keys_dir: str
    """The folder for new private keys, owned by the user that OpenDKIM runs as."""
    signing_pattern: Template = "*@%d"
    """The first column of a new SigningTable line: `*@%d` for refile, `%d` for file."""
    reload: tuple[str, ...] = ()
    """The program and its arguments that make OpenDKIM read its tables again."""


class Options(Frozen):
    """Where the server keeps its files. Paths may be relative to the spec.

    In templates `%u` is an address, `%n` its local part, `%d` its domain. Maps may be written as in main.cf, their type
    before the path: `hash:/etc/postfix/virtual`.
    """

    name: str = ""
    """What people call the server."""
    passwd_file: str
    """Dovecot's passwd-file: one account a line, its user name the whole address."""
    virtual_alias_maps: str
    """Postfix's map of aliases and the catch-all."""
    virtual_mailbox_domains: str | None = None
    """Postfix's list or map of the domains; if silent, the domain is taken to be there."""
    virtual_mailbox_maps: str | None = None
    """Postfix's map of mailboxes, if it has one: each new mailbox gets an entry."""
    mailbox_map_value: Template = "%d/%n/"
    """What a new entry of virtual_mailbox_maps says."""
    map_type: Literal["hash", "btree", "lmdb", "cdb", "texthash"] = "hash"
    """The type of the maps that do not name theirs."""
    postmap: str | None = None
    """The program that makes the maps' indexes; if silent, postmap where the machine has it."""
    reload: tuple[str, ...] = ()
    """The program and its arguments that make Postfix read lists and texthash maps again."""
    mail_home: Template | None = None
    """The home of accounts whose line has none, such as `/var/vmail/%d/%n`."""
    uid: int | str | None = None
    """The uid field of new accounts; that of the first account, if silent."""
    gid: int | str | None = None
    """The gid field of new accounts; that of the first account, if silent."""
    home: Template | None = None
    """The home field of new accounts; empty, if silent."""
    password_scheme: str = Field(default="CRYPT", pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The `scheme=` of Dovecot's passdb: what a hash is that names no scheme."""
    quota_field: str = Field(default="userdb_quota_rule", pattern="^[A-Za-z0-9_]+$")
    """The extra field of an account's line that holds its quota: `userdb_quota_rule`, the first of Dovecot 2.3's
    numbered rules, or `userdb_quota_storage_size` for a size, as Dovecot 2.4 has it."""
    sieve_dir: Template = "~/sieve"
    """The folder of an account's Sieve scripts."""
    sieve_active: Template = "~/.dovecot.sieve"
    """The link to the script that is active."""
    opendkim: OpenDkim | None = None
    """OpenDKIM's files; if silent, DKIM keys are made by hand."""
    managesieve: ManageSieve | None = None
    """The server to ask for Sieve scripts; if silent, they are read and written where Dovecot keeps them."""
    ssh: Ssh | None = None
    """The machine that has the files, if it is another one than this. Paths are then absolute."""

    @model_validator(mode="after")
    def _far_paths_are_absolute(self) -> Self:
        """Neither the spec's folder nor the home of whoever runs this is on the other machine."""
        if self.ssh is None:
            return self
        own = self.opendkim
        paths = [self.passwd_file, self.virtual_alias_maps, self.virtual_mailbox_domains, self.virtual_mailbox_maps]
        paths += [own.key_table, own.signing_table, own.keys_dir] if own else []
        paths = [
            _without_type(path.partition(":")[2] if path.partition(":")[0] in TYPES else path) for path in paths if path
        ]
        paths += [path.removeprefix("~") for path in (self.sieve_dir, self.sieve_active)]  # an account's home is known
        wrong = [path for path in [*paths, self.mail_home, self.home] if path and not path.startswith("/")]
        if wrong:
            msg = f"the files are on {self.ssh.where}, so each path begins with a slash; {', '.join(wrong)} does not"
            raise ValueError(msg)
        return self


def open_server(options: Options, context: Context, transport: Transport | None = None) -> Opened:
    """One store for each kind; nothing is read yet. ``transport``, if None, is what the options say."""
    close = _nothing_to_close
    if transport is None and options.ssh:
        from reconciler.transports.ssh.transport import open_ssh  # noqa: PLC0415 - paramiko is slow to import, and seldom needed

        transport = far = open_ssh(options.ssh, context.base, context.secrets)
        close = far.close
    files = _Files(options, context, transport or LocalTransport())
    accounts = AccountsFile(
        files.lines(options.passwd_file, partial(parse_accounts, domain=context.domain)),
        context.base,
        options.mail_home,
    )
    of_domain = partial(parse_map, domain=context.domain)
    aliases = files.postfix_map(options.virtual_alias_maps, of_domain)
    recipients = options.virtual_mailbox_maps and files.postfix_map(options.virtual_mailbox_maps, of_domain)
    mailboxes = MailboxStore(
        context, accounts, aliases, recipients or None, new=_new_lines(options), default_scheme=options.password_scheme
    )
    stores: dict[str, Store[Any]] = {
        "domain": _domain_store(files) or DomainKeptElsewhere(context),
        "mailbox": mailboxes,
        "quota": QuotaStore(context, accounts, options.quota_field),
        "alias": AliasStore(context, aliases, accounts),
        "catch_all": CatchAllStore(context, aliases, accounts),
        "sieve": _sieve_store(options, context, files.transport, accounts),
    }
    if options.opendkim:
        stores["dkim_key"] = _dkim_keys(context, files, options.opendkim)
    where = f"{options.ssh.where}:" if options.ssh else ""
    return Opened(
        name=options.name or f"Postfix and Dovecot ({where}{accounts.file.path})",
        stores=stores,
        by_hand=frozenset() if options.virtual_mailbox_domains else frozenset({"domain"}),
        password_hash=mailboxes.password_hash,
        close=close,
    )


def _sieve_store(
    options: Options, context: Context, transport: Transport, accounts: AccountsFile
) -> Store[SieveScript]:
    """The accounts' own folders or, where the options name a ManageSieve server, that."""
    if options.managesieve is None:
        return SieveStore(context, transport, accounts, scripts=options.sieve_dir, active=options.sieve_active)
    from reconciler.stores.managesieve import ManageSieveStore  # noqa: PLC0415 - seldom needed

    def mailboxes() -> Collection[str]:
        return accounts.file.read().by_address.keys()

    return ManageSieveStore(context, options.managesieve, mailboxes)


def _nothing_to_close() -> None:
    """Without a wire there is nothing to hang up."""


@dataclass(frozen=True, slots=True)
class _Files:
    """Turns the paths of the options into files."""

    options: Options
    context: Context
    transport: Transport

    def path(self, text: str) -> Path:
        """Absolute; ``~`` is the home of whoever runs this."""
        return Path(os.path.abspath(self.context.base / Path(text).expanduser()))  # noqa: PTH100 - links stay links

    def lines(self, path: str, parse: Callable[[Text], T]) -> LineFile[T]:
        """On the old server a missing file is an error: a misspelt path must not look like an empty server."""
        return LineFile(self.transport, self.path(path), parse, must_exist=self.context.place is Place.OLD)

    def postfix_map(self, text: str, parse: Callable[[Text], T], *, may_be_list: bool = False) -> PostfixMap[T]:
        """A path with or without the type before it."""
        kind, colon, path = text.partition(":")
        if not colon or kind not in TYPES:
            kind, path = ("" if may_be_list else self.options.map_type), text
        return PostfixMap(self.lines(path, parse), type=kind, postmap=self.options.postmap, reload=self.options.reload)


def _domain_store(files: _Files) -> DomainStore | None:
    """A path without a type is a list file, as in main.cf."""
    text = files.options.virtual_mailbox_domains
    if text is None:
        return None
    value = "OK" if text.partition(":")[0] in TYPES else ""
    parse = partial(parse_domains, domain=files.context.domain, value=value)
    return DomainStore(files.context, files.postfix_map(text, parse, may_be_list=True))


def _new_lines(options: Options) -> NewLines:
    return NewLines(
        uid=None if options.uid is None else str(options.uid),
        gid=None if options.gid is None else str(options.gid),
        home=options.home,
        map_value=options.mailbox_map_value,
    )


def _dkim_keys(context: Context, files: _Files, options: OpenDkim) -> "DkimKeyStore":
    from reconciler.stores.opendkim import DkimKeyStore, OpenDkimFiles  # noqa: PLC0415 - brings cryptography with it

    tables = OpenDkimFiles(
        keys=files.lines(_without_type(options.key_table), partial(parse_keys, domain=context.domain)),
        signers=files.lines(_without_type(options.signing_table), parse_signers),
        keys_dir=files.path(options.keys_dir),
        pattern=filled(options.signing_pattern, f"@{context.domain}") or context.domain,
        reload=options.reload,
    )
    return DkimKeyStore(context, tables)


def _without_type(text: str) -> str:
    return text.removeprefix("refile:").removeprefix("file:")


BACKEND = Backend(
    title="Postfix and Dovecot by their files, with OpenDKIM",
    options=Options,
    open=open_server,
    source="Dovecot 2.3 Passwd-file; Postfix virtual(5); OpenDKIM opendkim.conf(5)",
)
