"""How the stored mail is brought from the old server to the new one: both IMAP servers, their logins and bounds."""

import ipaddress
import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, Discriminator, Field, Tag, WithJsonSchema, model_validator

from reconciler.model.folder_path import from_title, title
from reconciler.model.name import domain_name
from reconciler.spec.frozen import Frozen
from reconciler.spec.mail_files import IMAP, MAILDIR, MBOX, Maildirs, Mboxes, way
from reconciler.spec.service_account import ServiceAccount
from reconciler.spec.types import Bytes, MailAddress, Reference, Seconds

_TLS_PORT: Final = 993  # RFC 8314, section 3.2
_PLAIN_PORT: Final = 143  # RFC 3501, section 2.1
_FINGERPRINT: Final = re.compile(r"(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}\Z")

_NEEDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "own": (),
    "master": (("master_user",), ("password",)),
    "authzid": (("master_user",), ("password",)),
    "proxyauth": (("master_user",), ("password",)),
    "x-masterauth": (("password",),),
    "xoauth2": (("token", "service_account"),),
}
"""Of each group one."""
_CREDENTIALS: Final = ("master_user", "password", "token", "service_account")
_MEANS: Final = {
    "own": "each mailbox's own password is used",
    "master": "Dovecot's master user logs in as USER*MASTER",
    "authzid": "an administrator logs in for each user (SASL PLAIN)",
    "proxyauth": "an administrator logs in and becomes each user (the command PROXYAUTH)",
    "x-masterauth": "the server's master password, which has no name, opens each mailbox (the command X-MASTERAUTH)",
    "xoauth2": "an access token is sent",
}


def _host(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        return domain_name(value)


def _fingerprint(value: str) -> str:
    if not _FINGERPRINT.match(value):
        msg = "a fingerprint is the SHA-256 of the server's certificate: 64 hexadecimal digits, colons allowed"
        raise ValueError(msg)
    return value.replace(":", "").lower()


def _folder(value: str) -> str:
    return title(from_title(value))


_TEXT = {"type": "string"}
Host = Annotated[str, AfterValidator(_host), WithJsonSchema({**_TEXT, "description": "A host name or an IP address"})]
Fingerprint = Annotated[str, AfterValidator(_fingerprint), WithJsonSchema({**_TEXT, "examples": ["AB:CD:…"]})]
Folder = Annotated[
    str,
    AfterValidator(_folder),
    WithJsonSchema({**_TEXT, "description": "A folder: names joined by slashes", "examples": ["Projects/2026"]}),
]


class ImapServer(Frozen):
    """One IMAP server, how its mailboxes are entered, and how hard it may be worked."""

    host: Host
    """Where it answers: a name that its certificate has, or an IP address."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """993 with implicit TLS, else 143, if silent."""
    tls: str = Field(default="implicit", pattern="^(implicit|starttls|none)$")
    """implicit: from the first octet on; starttls: demanded; none: only for a loopback address, such as a tunnel's."""
    ca_file: str | None = None
    """A file of certificates (PEM) to trust instead of the system's, its path relative to the spec."""
    fingerprint: Fingerprint | None = None
    """SHA-256 of the server's own certificate, trusted whoever has signed it."""
    login: str = Field(default="own", pattern="^(own|master|authzid|proxyauth|x-masterauth|xoauth2)$")
    """own: as each user, on the old server with `old_password`, on the new one with the mailbox's `password`;
    master: Dovecot's master user; authzid: an administrator who acts for the user; proxyauth: one who becomes the user
    (Sun's, iPlanet's, Oracle's servers); x-masterauth: a master password (Kerio Connect); xoauth2: an access token."""
    master_user: str | None = Field(default=None, min_length=1)
    """The name of the master user or administrator."""
    separator: str = Field(default="*", min_length=1, max_length=1)
    """What stands between user and master user (Dovecot's auth_master_user_separator)."""
    password: Reference | None = None
    """Reference to the password of the master user or administrator, or to the master password."""
    token: Reference | None = None
    """Reference to an access token, asked again at every connection; `{login}` in it becomes the user's login name."""
    service_account: ServiceAccount | None = None
    """Instead of `token`: an account of a program that Google or Microsoft lets open the mailboxes of all users."""
    timeout: Seconds = Field(default=120, ge=1, le=3600)
    """How long one read or write may take."""
    connections: int | None = Field(default=None, ge=1, le=500)
    """At once, over all mailboxes; 20, or fewer where the provider is known to allow fewer, if silent."""
    octets_per_second: Bytes | None = Field(default=None, ge=1024)
    """Over all connections, as 5000000 or "5 MB"; unbounded, if silent."""
    daily_octets: Bytes | None = Field(default=None, ge=1)
    """A mailbox and day (UTC); what the provider is known to allow, if silent."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = _NEEDS[self.login]
        for one_of in needed:
            given = [key for key in one_of if getattr(self, key) is not None]
            if not given:
                msg = f"login: {self.login} needs {' or '.join(one_of)} beside it: {_MEANS[self.login]}"
                raise ValueError(msg)
            if len(given) > 1:
                msg = f"{' and '.join(given)} are two ways to the same; remove one of the two"
                raise ValueError(msg)
        for key in _CREDENTIALS:
            if getattr(self, key) is not None and not any(key in one_of for one_of in needed):
                msg = f"{key} has no use with login: {self.login}, where {_MEANS[self.login]}; remove one of the two"
                raise ValueError(msg)
        if self.tls == "none" and not _is_loopback(self.host):
            msg = (
                f"tls: none with {self.host}, which is no loopback address: all passwords would cross the network "
                "in the clear; write tls: implicit or tls: starttls"
            )
            raise ValueError(msg)
        if self.tls == "none" and (self.ca_file or self.fingerprint):
            msg = "with tls: none there is no certificate: remove ca_file and fingerprint, or tls"
            raise ValueError(msg)
        return self

    @property
    def at_port(self) -> int:
        """The port, given or implied."""
        return self.port or (_TLS_PORT if self.tls == "implicit" else _PLAIN_PORT)


OldMail = Annotated[
    Annotated[ImapServer, Tag(IMAP)] | Annotated[Maildirs, Tag(MAILDIR)] | Annotated[Mboxes, Tag(MBOX)],
    Discriminator(way),
]
NewMail = Annotated[
    Annotated[ImapServer, Tag(IMAP)] | Annotated[Maildirs, Tag(MAILDIR)],
    Discriminator(
        way,
        custom_error_type="place_of_mail",
        custom_error_message="a mapping with host or maildir, for mbox files are a source only",
    ),
]


class MailCopy(Frozen):
    """The copy of the stored mail: by IMAP at both ends, or by files at both."""

    old: OldMail
    """An IMAP server (`host`), Maildirs (`maildir`) or mbox files (`mbox`)."""
    new: NewMail
    """An IMAP server (`host`) or Maildirs (`maildir`)."""
    parallel: int = Field(default=16, ge=1, le=200)
    """Mailboxes at a time."""
    folders: dict[Folder, Folder] = Field(default={})
    """Old folder to new folder, where the plan of folders is to be another: names joined by slashes."""
    exclude: tuple[Folder, ...] = ()
    """Folders that are not copied, each with all below it: names joined by slashes."""
    date: str = Field(default="internaldate", pattern="^(internaldate|header)$")
    """When a message arrived: as the old server says; header: as its own Date field says, where the server's dates are
    worthless, such as those of an earlier copy. A message without a date of its own keeps the server's."""
    labels: str = Field(default="once", pattern="^(once|each)$")
    """Of a message with several labels in Gmail: once, in the folder that says most of it; each: in every label's."""
    cutover: AwareDatetime | None = None
    """When the MX is planned to be turned, with its zone: what the end of the copy is foretold against."""
    may_be_empty: tuple[MailAddress, ...] = ()
    """Mailboxes that a master user or administrator may find empty, or that have no files yet; with any other, a right
    or the path is taken to be wrong."""

    approved: tuple[MailAddress, ...] = ()
    """Mailboxes whose verdict Investigate a person has looked into and found right."""

    @model_validator(mode="after")
    def _two_ends(self) -> Self:
        if not (isinstance(self.old, ImapServer) and isinstance(self.new, ImapServer)):
            if not (isinstance(self.old, ImapServer) or isinstance(self.new, ImapServer)):
                return self._of_files()
            msg = (
                "mail is copied by IMAP at both ends or by files at both: give old and new a host each, or a path each"
            )
            raise ValueError(msg)
        ends = {(server.host, server.at_port, server.login) for server in (self.old, self.new)}
        if len(ends) == 1 and self.old.login != "own":
            msg = "old and new are the same server with the same login: every mailbox would be copied into itself"
            raise ValueError(msg)
        return self

    def _of_files(self) -> Self:
        if self.date != "internaldate":
            msg = f"date: {self.date} is for mail that is copied by IMAP: a copy by files keeps the time of each file"
            raise ValueError(msg)
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
