"""No mail goes in a circle through aliases, catch-alls and forwards of the two servers.

A loop multiplies each message until a server counts too many hops, and the sender gets it back. A forward that stays on
the new server is as bad: its user, who still reads on the old one, gets nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.analysis.delivery import Delivery, Node
from reconciler.analysis.effects import redirects, sends_on
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed, sentences


def gates(change: Change) -> bool:
    """What sends mail on, and what brings it."""
    return sends_on(change) or redirects(change)


def judge(spec: Spec, facts: Facts) -> Answer:
    """The world after this stage, with the forwards of all who have not moved."""
    today = facts.now.date()
    to_come = facts.stage < Stage.HARDEN
    forwards = {m.address: m.forward_to for m in spec.mailboxes if m.forward_to and to_come and not m.has_moved(today)}
    graph = Delivery.of(spec, facts.desired, forwards)
    circles = list(find_circles(graph.onward()))
    ours = [circle for circle in circles if any(node.place is Place.NEW for node in circle)]
    in_circles = {node for circle in ours for node in circle}
    staying = [
        f"{address} to {target}"
        for address, target in forwards.items()
        if (Place.NEW, address) not in in_circles and _stays(graph, target)
    ]
    if ours or staying:
        return Fail(
            sentences(
                f"mail would go in a circle: {listed(_path(graph, c) for c in ours)}" if ours else "",
                f"these forwards never leave the new server: {listed(staying)}" if staying else "",
            ),
            "let forward_to name the old account by an address that only the old server takes "
            "(ann@old-provider.example), and change the alias that closes a circle",
        )
    if circles:
        return Warn(
            f"mail goes in a circle on the old server today: {listed(_path(graph, circle) for circle in circles)}",
            "mend the alias there, or leave it; the new server is not part of it",
        )
    return Pass(f"{counted(len(graph), 'alias, catch-all or forward', 'aliases, catch-alls and forwards')}, no circle")


def find_circles(onward: Mapping[Node, Sequence[Node]]) -> Iterator[list[Node]]:
    """At least one circle of each knot, as nodes in the order of the mail; every node is visited once."""
    done: set[Node] = set()
    for start in onward:
        if start in done:
            continue
        path = {start: iter(onward[start])}
        while path:
            node, ways = next(reversed(path.items()))
            reached = next(ways, None)
            if reached is None:
                path.popitem()
                done.add(node)
            elif reached in path:
                nodes = list(path)
                yield nodes[nodes.index(reached) :]
            elif reached not in done:
                path[reached] = iter(onward.get(reached, ()))


def _stays(graph: Delivery, target: str) -> bool:
    arrived = graph.arrives(target, Place.NEW)
    own = target.rpartition("@")[2] == graph.domain
    return own or (arrived is not None and arrived[0] is Place.NEW)


def _path(graph: Delivery, circle: Iterable[Node]) -> str:
    nodes = list(circle)
    first = min(range(len(nodes)), key=lambda i: (nodes[i].place is not Place.NEW, nodes[i].address))
    turned = [*nodes[first:], *nodes[:first]]
    return " -> ".join([*(f"{node} ({graph.rule(node)})" for node in turned), str(turned[0])])


CHECK = Check(
    title="No forwarding loop",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP, Stage.CUTOVER}),
    gates=gates,
    judge=judge,
    source="RFC 5321, section 6.3; RFC 5228, section 4.2",
)
