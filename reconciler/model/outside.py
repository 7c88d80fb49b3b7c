"""What probes have seen from outside, as values that checks read.

A fact says what was asked, of whom, and what came back; that somebody could not be asked is a fact too.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage

F = TypeVar("F")


class Unknown(Exception):  # noqa: N818 - says what is the case
    """Something could not be found out; ``str()`` is the reason, as the end of a sentence about whoever was asked."""


@dataclass(frozen=True, slots=True)
class Outside:
    """One fact of each kind that the spec asks for."""

    facts: tuple[object, ...] = ()

    def get(self, kind: type[F]) -> F | None:
        """The fact of this kind; None if the spec does not ask for it."""
        return next((fact for fact in self.facts if isinstance(fact, kind)), None)


NOTHING = Outside()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mail server said to one recipient (RFC 5321, section 4.2); ``text`` is printable, on one line."""

    code: int
    text: str

    def __str__(self) -> str:
        """As a log would quote it."""
        return f"{self.code} {self.text}".rstrip()

    @property
    def taken(self) -> bool:
        """It would take mail for this recipient."""
        return 200 <= self.code < 300  # noqa: PLR2004 - the classes of RFC 5321, section 4.2.1

    @property
    def refused(self) -> bool:
        """It would give mail for this recipient back."""
        return self.code >= 500  # noqa: PLR2004 - the classes of RFC 5321, section 4.2.1

    @property
    def later(self) -> bool:
        """It does not say yet: greylisting, a limit, or a map that cannot be read."""
        return not self.taken and not self.refused


@dataclass(frozen=True, slots=True)
class Reception:
    """How one mail server answers RCPT. ``server`` is HOST:PORT.

    ``answers``: recipient to reply, for those that were asked; ``unasked`` is how many were not, because enough others
    were refused or put off. ``nobody``: the reply for an address that nobody has; ``outside``: for one that is not
    this server's to deliver (``outside_address``). ``trouble`` is why the asking ended early, as the end of a sentence
    about the server; empty if it did not.
    """

    server: str
    answers: Mapping[str, Reply] = field(default_factory=dict)
    nobody: Reply | None = None
    outside: Reply | None = None
    outside_address: str = ""
    unasked: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Receptions:
    """Of every server that the spec's ``probe.smtp`` names, in its order."""

    servers: tuple[Reception, ...]


@dataclass(frozen=True, slots=True)
class ReverseName:
    """What the DNS says of one sending ``address``.

    ``names`` are those of its PTR records, ``confirmed`` those of them that lead back to the address; both without the
    final dot, in alphabetical order. ``trouble`` is why it could not be looked up, as the end of a sentence about the
    resolver.
    """

    address: str
    names: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ReverseNames:
    """Of every single address that the new server sends from, as ``resolver`` (ADDRESS:PORT) sees the world."""

    resolver: str
    found: tuple[ReverseName, ...]


@dataclass(frozen=True, slots=True)
class ZoneServer:
    """One name server of a zone, by itself. ``address`` is empty where its name has none.

    ``delegated``: the parent zone sends the world to it. ``listed``: the zone itself names it. ``serial``: of the SOA
    that it serves with authority; None where it does not, for the reason ``trouble``, the end of a sentence about it.
    ``served``: RRset name to what it serves of those that the move claims and the zone's keeper shows; None: nothing.
    """

    name: str
    address: str
    delegated: bool
    listed: bool
    serial: int | None = None
    served: Mapping[str, RRset | None] = field(default_factory=dict)
    trouble: str = ""

    def __str__(self) -> str:
        """Name and address."""
        return f"{self.name} ({self.address})" if self.address else self.name


@dataclass(frozen=True, slots=True)
class ZoneServers:
    """Every name server that the parent zone or the zone itself names, in alphabetical order.

    ``zone`` has its final dot. ``hidden``: the parent zone's own servers serve the zone too, so that no delegation can
    be seen. ``trouble``: why the servers could not be found out, as a sentence of its own.
    """

    zone: str
    servers: tuple[ZoneServer, ...] = ()
    hidden: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """The certificate that one service shows to mail programs.

    ``server`` is HOST:PORT, by the name that users are given; ``ends`` is when the certificate does, aware and UTC.
    ``pinned``: it is the one that the spec names, whoever has signed it. ``trouble``: why no mail program would go on,
    as the end of a sentence about the server; then ``ends`` is None.
    """

    server: str
    ends: datetime | None = None
    pinned: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ShownCertificates:
    """Of every service that the spec's ``probe.tls`` names, in its order."""

    services: tuple[ShownCertificate, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM signature of a message, held against the keys that the zone will have.

    ``domain`` and ``selector`` are its d= and s=. ``why`` it does not verify, as a clause; empty if it does.
    """

    domain: str
    selector: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class SignedTest:
    """What became of the message that ``mailbox`` wrote to itself through the new server.

    ``arrived``: when, aware; None if none did. ``envelope``: the domain of its Return-Path, of which receivers ask the
    SPF record; empty if it has none. ``early``: what has to be made first, as a clause; then nobody was asked.
    ``trouble``: why there is no message, as a sentence.
    """

    mailbox: str
    arrived: datetime | None = None
    signatures: tuple[Signature, ...] = ()
    envelope: str = ""
    early: str = ""
    trouble: str = ""

    def proven(self, domain: str, selectors: Collection[str]) -> tuple[str, ...]:
        """Those of the selectors with which the domain has signed it, so that it verifies."""
        good = {it.selector for it in self.signatures if it.domain == domain and not it.why}
        return tuple(selector for selector in selectors if selector in good)


@dataclass(frozen=True, slots=True)
class SpfVerdict:
    """What a receiver would say of mail of the domain from ``address``, by the record that a stage plans.

    ``side``: whose address it is, old or new. ``result``: pass, fail, softfail, neutral, permerror or temperror
    (RFC 7208, section 2.6), with ``why`` for the last two.
    """

    stage: Stage
    side: str
    address: str
    result: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class SpfVerdicts:
    """Of every single address that a server sends from; ``records``: the SPF record of each stage that has one."""

    records: Mapping[Stage, str]
    found: tuple[SpfVerdict, ...]
