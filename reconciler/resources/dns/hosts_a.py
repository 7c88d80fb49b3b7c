"""IPv4 addresses of the hosts that stay and change their server at the cutover (RFC 1035, section 3.4.1)."""

from collections.abc import Iterator

from reconciler.extend import RecordKind
from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.resources.dns._hosts import addresses, owns
from reconciler.spec.spec import Spec


def desired(spec: Spec, stage: Stage) -> Iterator[Claim]:
    """The old addresses until the cutover, the new ones from then on."""
    return addresses(spec, stage, version=4)


KIND = RecordKind("A", owns, desired, moves=True, source="RFC 1035, section 3.4.1")
