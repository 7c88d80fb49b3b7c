"""The spec as the user writes it: one mail domain, its two servers, and what must be true."""

from datetime import date
from typing import Self

from pydantic import Field, field_validator

from reconciler.model.address import Address
from reconciler.model.stage import Stage
from reconciler.spec.copy import MailCopy
from reconciler.spec.frozen import Frozen
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.policies import Confirmations, Decommission, Dmarc, SpfPolicies, Ttl, Waits
from reconciler.spec.probing import Probing
from reconciler.spec.servers import Dns, HostAddresses, NewServer, OldServer
from reconciler.spec.types import (
    Domain,
    MailAddress,
    Sender,
    StageName,
    Targets,
)


class Spec(Frozen):
    """A mail domain, its two servers, its zone, and the stage it may reach."""

    domain: Domain
    stage: StageName = "prepare"
    """The furthest stage that apply may reach: prepare, overlap, cutover, harden, decommission."""
    old: OldServer
    new: NewServer
    dns: Dns
    hosts: dict[Domain, HostAddresses] = Field(default={})
    """Host names that stay and change their addresses at the cutover."""
    senders: tuple[Sender, ...] = ()
    """SPF mechanisms of third parties that keep sending in every stage."""
    ttl: Ttl = Ttl()
    spf: SpfPolicies = SpfPolicies()
    dmarc: Dmarc | None = None
    """The final DMARC policy; what stands in the zone is left alone, if silent."""
    waits: Waits = Waits()
    confirm: Confirmations = Confirmations()
    decommission: Decommission = Decommission()
    probe: Probing | None = None
    """What is asked from outside before the cutover; nothing, if silent."""
    journal: str | None = None
    """A database URL (SQLAlchemy) without a password; a SQLite file beside the spec, if silent."""
    mail_copy: MailCopy | None = Field(default=None, alias="copy")
    """How the stored mail is copied, by IMAP or by files (`reconciler copy`); by other means, if silent."""
    generated_passwords: str | None = None
    """The file, readable by its owner only, that gets the passwords of ``password: generate``."""
    done_by_hand: tuple[str, ...] = ()
    """Addresses of steps that a person has carried out where nothing can observe it."""
    mailboxes: tuple[Mailbox, ...] = ()
    mailboxes_from: str | None = None
    """A CSV file of further mailboxes, its path relative to the spec."""
    aliases: dict[MailAddress, Targets] = Field(default={})
    """Address to destinations, one or many, inside or outside of the domain."""
    catch_all: MailAddress | None = None
    """Where mail for every other address of the domain goes."""

    @field_validator("done_by_hand")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                Address.parse(text)
            except ValueError as error:
                msg = f"{text!r} is not the address of a step, such as new/alias/info@example.org"
                raise ValueError(msg) from error
        return value

    @property
    def target(self) -> Stage:
        """``stage`` as a value."""
        return Stage.of(self.stage)

    @property
    def with_old_mail(self) -> tuple[Mailbox, ...]:
        """The mailboxes whose mail follows them from server to server."""
        return tuple(mailbox for mailbox in self.mailboxes if mailbox.old_mail)

    @property
    def owner(self) -> str:
        """The domain as an owner name, with its final dot."""
        return f"{self.domain}."

    def on(self, today: date) -> Self:
        """The spec with every dated ``moved`` settled for that day: what the pure functions work on."""
        settled = tuple(
            m if isinstance(m.moved, bool) else m.model_copy(update={"moved": m.has_moved(today)})
            for m in self.mailboxes
        )
        return self.model_copy(update={"mailboxes": settled})
