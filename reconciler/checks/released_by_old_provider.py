"""The old provider has let go of the domain before SPF stops naming it.

A provider that still takes the domain for its own delivers mail between its own customers inside of its house, whatever
the MX says, and sends our users' answers from there.
"""

from reconciler.analysis.effects import changes_spf
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass
from reconciler.spec.spec import Spec


def judge(spec: Spec, facts: Facts) -> Answer:
    """Only a person can know; the line in the spec is reviewed."""
    if spec.confirm.released_by_old_provider:
        return Pass("confirm.released_by_old_provider: true stands in the spec")
    if not any(map(changes_spf, facts.changes)):
        return Pass("SPF does not change here")
    return Fail(
        f"as long as the old provider takes {spec.domain} for its own, mail from its other customers stays there and "
        "answers from there would fail SPF",
        f"remove {spec.domain} in the old provider's administration (or there is none: the old server is your own), "
        "wait for its caches, then write confirm: {released_by_old_provider: true} in the spec",
    )


CHECK = Check(
    title="The old provider has released the domain",
    stages=frozenset({Stage.HARDEN}),
    gates=changes_spf,
    judge=judge,
    source="the spec's confirm section",
)
