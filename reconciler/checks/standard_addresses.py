"""Somebody reads postmaster and abuse, where other operators write when something goes wrong."""

from typing import Final

from reconciler.analysis.addresses import catch_all, is_answered
from reconciler.analysis.effects import nothing
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import listed

_STANDARD: Final = ("postmaster", "abuse")


def judge(spec: Spec, facts: Facts) -> Answer:
    """A mailbox, an alias or the catch-all will do."""
    if facts.back:
        return Pass("mail goes back to the old server")
    names = [f"{local}@{spec.domain}" for local in _STANDARD]
    missing = [name for name in names if not is_answered(facts.desired, Place.NEW, name)]
    if not missing or catch_all(facts.desired, Place.NEW, spec.domain):
        return Pass(f"{listed(names)} are answered by the new server")
    return Warn(
        f"the new server does not answer {listed(missing)}: reports of blocked or forged mail would bounce",
        "add them to aliases in the spec, to an address that somebody reads",
    )


CHECK = Check(
    title="Standard addresses are answered",
    stages=frozenset({Stage.PREPARE, Stage.CUTOVER}),
    gates=nothing,
    judge=judge,
    source="RFC 5321, section 4.5.1; RFC 2142, sections 2 and 4",
)
