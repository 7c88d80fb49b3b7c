"""What may run, what waits and what is blocked: the checks' answers laid over the steps. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.extend import Check, Facts
from reconciler.model.address import Address
from reconciler.model.change import Change
from reconciler.model.plan import Finding
from reconciler.model.verdict import RUN, Answer, Fail, Status, Verdict, Wait
from reconciler.spec.spec import Spec


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answers on the way into one stage, and what holds each change back."""

    findings: tuple[Finding, ...]
    gates: tuple[tuple[Check, Verdict], ...]

    def verdict(self, change: Change) -> Verdict:
        """The worst that a gating check says of the change."""
        if not self.gates:
            return RUN
        return worst(verdict for check, verdict in self.gates if check.gates(change))


def judge(spec: Spec, checks: Mapping[str, Check], facts: Facts) -> Judgement:
    """Ask every check of the stage that is entered."""
    findings: list[Finding] = []
    gates: list[tuple[Check, Verdict]] = []
    for name, check in checks.items():
        if facts.stage not in check.stages:
            continue
        if check.only_to_gate and not any(map(check.gates, facts.changes)):
            continue
        answer = check.judge(spec, facts)
        if isinstance(answer, Wait) and not any(map(check.gates, facts.changes)):
            continue  # nothing here waits for it
        findings.append(Finding(name, check.title, facts.stage, answer))
        verdict = _holds_back(check, answer)
        if verdict is not RUN:
            gates.append((check, verdict))
    return Judgement(tuple(findings), tuple(gates))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe; of several waits the longest, one without a known time being longer than any."""
    return max((verdict for verdict in verdicts if verdict is not RUN), key=_severity, default=RUN)


def held_by(address: Address, numbers: Sequence[int], verdict: Verdict) -> Verdict:
    """The verdict of a step that comes after one which does not run now."""
    first = f"step {numbers[0]}" + (f" and {len(numbers) - 1} more" if len(numbers) > 1 else "")
    if verdict.status is Status.BLOCKED:
        return Verdict(Status.BLOCKED, f"{first}, which it comes after, is blocked")
    if verdict.status is Status.BY_HAND:
        return Verdict(Status.WAIT, f"{first} is done by hand first ({address})")
    return Verdict(Status.WAIT, f"comes after {first}", verdict.until)


def _holds_back(check: Check, answer: Answer) -> Verdict:
    match answer:
        case Wait(until, why):
            return Verdict(Status.WAIT, why, until)
        case Fail(why, _):
            return Verdict(Status.BLOCKED, f"{check.title}: {why}")
        case _:
            return RUN


def _severity(verdict: Verdict) -> tuple[int, bool, float]:
    unknown = verdict.status is Status.WAIT and verdict.until is None
    return verdict.status.severity, unknown, verdict.until.timestamp() if verdict.until else 0.0
