"""The old server is kept for some days after the last name server named the new one."""

from datetime import datetime

from reconciler.analysis.cutover_records import Turn, turns
from reconciler.analysis.effects import retires
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Wait, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import moment, span


def judge(spec: Spec, facts: Facts) -> Answer:
    """Count from when every name server has served the new value of all that the cutover turns."""
    turned = turns(spec)
    days = span(spec.waits.decommission)
    if not turned:
        return Warn(
            "nothing in this zone changes at the cutover, so nobody can see when it was",
            f"be sure that {days} have passed since the mail arrives on the new server",
        )
    since = {turn: _since(turn, facts) for turn in turned}
    for turn, start in since.items():
        if start is None:
            return Wait(None, f"not every name server was seen with the new {turn.name}; from then on it takes {days}")
    cutover = max(start for start in since.values() if start)
    until = cutover + spec.waits.decommission
    story = f"every name server names the new server since {moment(cutover)}"
    if facts.now >= until:
        return Pass(f"{story}, longer than {days}")
    return Wait(until, f"{story}; the old one is kept for {days} for mail that comes late")


def _since(turn: Turn, facts: Facts) -> datetime | None:
    history = facts.histories.get(turn.name)
    return history.since(turn.new) if history else None


CHECK = Check(
    title="The cutover is long enough ago",
    stages=frozenset({Stage.DECOMMISSION}),
    gates=retires,
    judge=judge,
    source="RFC 5321, section 4.5.4.1: senders retry for at least 4-5 days",
)
