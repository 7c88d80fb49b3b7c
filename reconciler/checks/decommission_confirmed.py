"""A person has confirmed the one step that cannot be undone."""

from reconciler.analysis.effects import retires
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted


def judge(spec: Spec, facts: Facts) -> Answer:
    """By a line in the spec, so that it is reviewed."""
    if spec.confirm.decommission:
        return Pass("confirm.decommission: true stands in the spec")
    retired = [change for change in facts.changes if retires(change)]
    objects = sum(change.address.place is Place.OLD for change in retired)
    if not retired:
        return Pass("nothing is retired here")
    what = f"{counted(objects, 'object')} on the old server and {counted(len(retired) - objects, 'DKIM record')}"
    return Fail(
        f"this takes away {what}: the one step that cannot be undone",
        "see that the last copy of the mail is complete, then write confirm: {decommission: true} in the spec",
    )


CHECK = Check(
    title="Decommission is confirmed",
    stages=frozenset({Stage.DECOMMISSION}),
    gates=retires,
    judge=judge,
    source="the spec's confirm section",
)
