"""MX: where the world delivers (RFC 5321, section 5)."""

from collections.abc import Iterator

from reconciler.extend import RecordKind
from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


def owns(_rdata: str) -> bool:
    """Every MX of the name is ours: a stray one would still receive mail."""
    return True


def desired(spec: Spec, stage: Stage) -> Iterator[Claim]:
    """The old server's exchanges until the cutover, the new one's from then on."""
    server = spec.old if stage < Stage.CUTOVER else spec.new
    for exchange in server.mx:
        yield Claim(spec.owner, str(exchange))


KIND = RecordKind("MX", owns, desired, moves=True, source="RFC 5321, section 5")
