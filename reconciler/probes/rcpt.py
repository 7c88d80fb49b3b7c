"""Which recipients the new server takes, asked where the world will deliver, before the MX names it.

No mail is sent. An address that nobody has tells whether the other answers mean anything; one that is none of the
server's business tells whether strangers can send through it.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from reconciler.analysis.addresses import answered
from reconciler.extend import Probe, Surroundings
from reconciler.model.address import Place
from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import Reception, Receptions
from reconciler.model.resource import State
from reconciler.model.stage import Stage
from reconciler.spec.probing import Probing
from reconciler.spec.spec import Spec
from reconciler.transports.mail.recipients import Recipients


def gather(spec: Spec, surroundings: Surroundings) -> Receptions | None:
    """Ask every server that the spec names, side by side, for the addresses of the spec and of the old server."""
    if spec.probe is None or not spec.probe.smtp:
        return None
    servers = [Endpoint.parse(server, 25) for server in spec.probe.smtp]
    asking = partial(_reception, _addresses(spec, surroundings.observed), spec, spec.probe)
    with ThreadPoolExecutor(max_workers=len(servers)) as pool:
        return Receptions(tuple(pool.map(asking, servers)))


def _reception(addresses: list[str], spec: Spec, probing: Probing, server: Endpoint) -> Reception:
    nobody = f"nobody-{secrets.token_hex(8)}@{spec.domain}"
    outside = _outside(spec)
    asked = Recipients(server, [nobody, outside, *addresses], probing.timeout, probing.helo)
    asked.ask()
    answers = asked.answers
    return Reception(
        str(server),
        nobody=answers.pop(nobody, None),
        outside=answers.pop(outside, None),
        outside_address=outside,
        answers=answers,
        unasked=asked.unasked,
        trouble=asked.trouble,
    )


def _addresses(spec: Spec, observed: State) -> list[str]:
    """Each once: those of the spec in its order, then those that only the old server has."""
    ours = (*(mailbox.address for mailbox in spec.mailboxes), *spec.aliases)
    theirs = (address.name for address in answered(observed, Place.OLD, spec.domain))
    return list(dict.fromkeys((*ours, *theirs)))


def _outside(spec: Spec) -> str:
    """An address whose domain takes mail, and not by the new server: it must not be refused for another reason."""
    own = {mx.exchange for mx in spec.new.mx}
    hosts = (mx.exchange for mx in spec.old.mx)
    foreign = (host for host in hosts if host not in own and not f".{host}".endswith(f".{spec.domain}"))
    return f"postmaster@{next(foreign, 'example.net')}"


PROBE = Probe(
    title="What the new server says to recipients",
    stages=frozenset({Stage.CUTOVER}),
    gather=gather,
    source="RFC 5321, sections 3.3 and 3.6.1",
)
