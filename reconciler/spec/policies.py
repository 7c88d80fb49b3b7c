"""The sections that say how: TTLs, SPF, DMARC, waits, and what a person confirms."""

from datetime import timedelta

from pydantic import Field, field_validator, model_validator

from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Duration, Seconds, SpfPolicy


class Ttl(Frozen):
    """How long caches keep what the cutover touches, in seconds or as 5m, 1h, 1d."""

    during: Seconds = Field(default=300, ge=1, le=86400)
    """From overlap until harden."""
    after: Seconds | None = Field(default=None, ge=1, le=604800)
    """From harden on; what stood before the move, if silent."""


class SpfPolicies(Frozen):
    """What the domain says of senders that are not authorised (RFC 7208, section 5.1)."""

    relaxed: SpfPolicy = "~all"
    """While both servers send."""
    final: SpfPolicy = "-all"
    """From harden on."""


class Dmarc(Frozen):
    """The policy from harden on (RFC 9989); what stands in other tags is kept."""

    p: str = Field(pattern="^(none|quarantine|reject)$")
    """What to do with mail that fails."""
    sp: str | None = Field(default=None, pattern="^(none|quarantine|reject)$")
    """The same for subdomains."""
    np: str | None = Field(default=None, pattern="^(none|quarantine|reject)$")
    """The same for subdomains that do not exist."""
    t: str | None = Field(default=None, pattern="^[yn]$")
    """y: a test, receivers apply the next milder policy."""
    adkim: str | None = Field(default=None, pattern="^[rs]$")
    """Alignment of DKIM: r relaxed, s strict."""
    aspf: str | None = Field(default=None, pattern="^[rs]$")
    """Alignment of SPF: r relaxed, s strict."""
    fo: str | None = Field(default=None, pattern="^[01ds](:[01ds])*$")
    """When to send failure reports."""
    rua: tuple[str, ...] = ()
    """Where aggregate reports go: mailto:ADDRESS."""
    ruf: tuple[str, ...] = ()
    """Where failure reports go: mailto:ADDRESS."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_removed_tags(cls, value: object) -> object:
        if isinstance(value, dict):
            for tag in ("pct", "rf", "ri"):
                if tag in value:
                    msg = (
                        f"{tag} is no DMARC tag any more: RFC 9989 removed it, and receivers ignore it; "
                        "to try a policy without enforcing it write t: y"
                    )
                    raise ValueError(msg)
        return value

    @field_validator("rua", "ruf")
    @classmethod
    def _mailto(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for uri in value:
            if not uri.startswith("mailto:") or any(c in uri for c in ',;! "\\') or not uri.isascii():
                msg = f"{uri!r} is not a report address: expected mailto:ADDRESS"
                raise ValueError(msg)
        return value


class Waits(Frozen):
    """Times and thresholds."""

    decommission: Duration = timedelta(days=7)
    """From cutover until the old server may be emptied."""
    quiet: Duration = timedelta(days=3)
    """How long nothing new must have arrived on the old server before harden."""
    copy_fresh: Duration = timedelta(hours=24)
    """How old the last verified copy of the mail may be at cutover."""
    margin: Duration = timedelta(seconds=0)
    """Added to every TTL that is waited for, for caches whose clocks are slow."""


class Confirmations(Frozen):
    """What only a person can know; each line is reviewed with the spec."""

    released_by_old_provider: bool = False
    """The old provider no longer takes the domain for its own."""
    copied_back: bool = False
    """Going back after the cutover: the mail that arrived on the new server was copied to the old one."""
    decommission: bool = False
    """Yes, retire the old server: the one step that cannot be undone."""


class Decommission(Frozen):
    """What happens to the old server at the very end."""

    empty_old: bool = False
    """Remove the domain's accounts and aliases there (the stored mail stays on disk)."""
