"""The name servers that the world asks for the zone are the zone's own, and serve the same version of it.

Who asks a server that nobody updates any more sends mail to the old server for as long as it stands, and gets an error
when it is gone.
"""

from collections.abc import Iterator

from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.outside import ZoneServer, ZoneServers
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences

_TODO = "have the registrar name the zone's own servers, or list and update the others in the zone"


def judge(_spec: Spec, facts: Facts) -> Answer:
    """A stale server in the delegation alone would never learn of the cutover; all else is told.

    Servers that agree on nothing but the serial are left to the waits for TTLs, which know what each one serves; some
    providers count a serial for each server.
    """
    seen = facts.outside.get(ZoneServers)
    if seen is None:
        return Pass("not asked: probe.resolver in the spec names no resolver")
    if seen.trouble:
        return Warn(
            f"the name servers of {seen.zone} could not be compared: {seen.trouble}",
            "see that the resolver answers this machine, or name another one in probe.resolver",
        )
    newest = max((server.serial for server in seen.servers if server.serial is not None), default=None)
    stale = [server for server in _strays(seen) if server.serial is not None and server.serial != newest]
    if stale and facts.stage is Stage.CUTOVER and not facts.back:
        return Fail(
            f"{listed(f'{server} with serial {server.serial}' for server in stale)} would go on naming the old server: "
            f"the parent zone sends the world there, {seen.zone} itself (serial {newest}) does not know it",
            _TODO,
        )
    told = [*_told(seen)]
    if told:
        return Warn(sentences(*told), _TODO if _differ(seen) else "see that each of them runs and follows the primary")
    where = "" if seen.hidden else ", those of the delegation"
    return Pass(f"{counted(len(seen.servers), 'name server')} with serial {newest}{where}")


def _told(seen: ZoneServers) -> Iterator[str]:
    yield from (f"the name server {server} {server.trouble}" for server in seen.servers if server.trouble)
    by_serial: dict[int, list[ZoneServer]] = {}
    for server in seen.servers:
        if server.serial is not None:
            by_serial.setdefault(server.serial, []).append(server)
    if len(by_serial) > 1:
        versions = (f"{listed(servers)} serial {serial}" for serial, servers in sorted(by_serial.items()))
        yield f"the name servers of {seen.zone} do not agree: {listed(versions)}"
    if strays := sorted({server.name for server in _strays(seen)}):
        yield f"the parent zone sends the world to {listed(strays)}, which {seen.zone} itself does not name"
    if unknown := sorted({server.name for server in _unknown(seen)}):
        yield f"{seen.zone} names {listed(unknown)}, which the parent zone does not know"


def _differ(seen: ZoneServers) -> bool:
    return any(_strays(seen)) or any(_unknown(seen))


def _strays(seen: ZoneServers) -> Iterator[ZoneServer]:
    return (server for server in seen.servers if server.delegated and not server.listed)


def _unknown(seen: ZoneServers) -> Iterator[ZoneServer]:
    return (server for server in seen.servers if server.listed and not server.delegated and not seen.hidden)


CHECK = Check(
    title="The world asks the zone's own name servers",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 1034, section 4.2.2; RFC 1912, section 2.8",
)
