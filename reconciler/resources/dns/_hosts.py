"""Host names that stay: their addresses are the old server's until the cutover, then the new one's."""

from collections.abc import Iterator

from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


def addresses(spec: Spec, stage: Stage, *, version: int) -> Iterator[Claim]:
    """The addresses of one IP version at a stage.

    A family that the old server lacks by the spec stays as it stood until the cutover: should there be a stray
    address, it goes then, because it would still receive mail.
    """
    for host, pair in spec.hosts.items():
        before = [address for address in pair.old if address.version == version]
        after = [address for address in pair.new if address.version == version]
        if stage < Stage.CUTOVER and not before:
            yield Claim(f"{host}.", None)
        for address in before if stage < Stage.CUTOVER else after:
            yield Claim(f"{host}.", str(address))


def owns(_rdata: str) -> bool:
    """Every address of such a host is ours: a stray one would still receive mail."""
    return True
