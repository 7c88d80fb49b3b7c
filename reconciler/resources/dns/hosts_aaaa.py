"""IPv6 addresses of the hosts that stay and change their server at the cutover (RFC 3596, section 2.2)."""

from collections.abc import Iterator

from reconciler.extend import RecordKind
from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.resources.dns._hosts import addresses, owns
from reconciler.spec.spec import Spec


def desired(spec: Spec, stage: Stage) -> Iterator[Claim]:
    """The old addresses until the cutover, the new ones from then on."""
    return addresses(spec, stage, version=6)


KIND = RecordKind("AAAA", owns, desired, moves=True, source="RFC 3596, section 2.2")
