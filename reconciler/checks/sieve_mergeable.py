"""Every user's own Sieve script can take our forward-and-retain rule, and give it back.

A script that cannot be parsed, or that its user has switched off as a whole, is left as it stands. Then nobody but a
person can put the rule in, and without it the user would get no copies in the old mailbox after the cutover.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.resources.server.sieve import SieveScript, desired, merge, mergeable
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, listed

_MOST_SHOWN: Final = 3  # rules that are spelt out; the others differ in their addresses alone


class Stuck(NamedTuple):
    """A script that is not as the stage wants it, and why. ``target``: where copies should go, None for nowhere."""

    script: SieveScript
    target: str | None
    why: str

    @property
    def todo(self) -> str:
        """What to type, in the form in which the rule is recognised and can be taken away again."""
        script, mailbox = self.script.script, self.script.name
        if self.target is None:
            return f"take the rule out of the script {script} of {mailbox}"
        domain = self.target.rpartition("@")[2]
        return (
            f"in the active script of {mailbox} require copy and put first, below a line "
            f'# rule:[Forward to {domain} and retain], the rule: if true {{ redirect :copy "{self.target}"; }}'
        )


def judge(spec: Spec, facts: Facts) -> Answer:
    """By laying the rules of the stage over the scripts as read, as the plan does."""
    wanted = list(desired(spec.on(facts.now.date()), facts.stage))
    stuck = list(_stuck(wanted, facts))
    if not stuck:
        return Pass(f"our rule fits into the scripts of all {counted(len(wanted), 'user')} with a forward")
    missing = [each for each in stuck if each.target]
    effect = (
        "without our rule these users get no copies in their old mailboxes"
        if missing
        else "these users go on sending copies to their old mailboxes"
    )
    why = f"{effect}: {listed(f'{each.script.name} ({each.why})' for each in missing or stuck)}"
    todo = listed((each.todo for each in missing or stuck), _MOST_SHOWN)
    return Fail(why, todo) if missing and any(map(redirects, facts.changes)) else Warn(why, todo)


def _stuck(wanted: list[SieveScript], facts: Facts) -> Iterator[Stuck]:
    for each in wanted:
        standing = facts.observed.get(each.address)
        if not isinstance(standing, SieveScript):
            continue
        merged, target = merge(each, standing), each.forwards_to
        kept = merged.forwards_to if merged else None
        off = merged is not None and merged.switched_off
        if kept != target and not (target and off) and (why := mergeable(standing)):
            yield Stuck(standing, target, why)


CHECK = Check(
    title="Users' Sieve scripts can take our rule",
    stages=frozenset({Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN}),
    gates=redirects,
    judge=judge,
    source="RFC 5228; RFC 3894",
)
