"""Whether a step runs, and what a check has answered, in words. They quote servers and zones, and are printable."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from reconciler.model.plan import Finding, Step
from reconciler.model.verdict import Fail, Pass, Status, Verdict, Wait, Warn
from reconciler.wording.printable import printable
from reconciler.wording.times import Local, due, in_utc

_GRAVITY: Final = (Fail, Warn, Wait, Pass)


def verdict(given: Verdict, local: Local = in_utc) -> str:
    """Empty for a step that runs."""
    match given.status:
        case Status.RUN:
            return ""
        case Status.WAIT:
            until = f"waits until {due(given.until, local)}" if given.until else "waits"
            return f"{until}: {printable(given.why)}"
        case Status.BY_HAND:
            return printable(given.why) or "by hand"
        case Status.BLOCKED:
            return f"blocked: {printable(given.why)}"


def note(step: Step) -> str:
    """What a person is to know or to do, without what the verdict says already; empty where there is nothing."""
    return printable(step.note.removeprefix(f"{step.verdict.why}: "))


class Told(NamedTuple):
    """Answers of one check in words.

    ``stages`` in which it was asked; ``word``: one of fails, warns, waits and holds; what was found; and what to do.
    """

    stages: str
    title: str
    word: str
    text: str
    todo: str = ""


def told(findings: Iterable[Finding], local: Local = in_utc) -> list[Told]:
    """What the checks say, what a person must decide before what time will settle.

    Stages in which a check asks for the same to be done are one entry, with what was found in the last of them.
    """
    gathered: dict[object, list[Finding]] = {}
    for finding in sorted(findings, key=_gravity):
        gathered.setdefault(_asks_for(finding), []).append(finding)
    return [_in_words(same, local) for same in gathered.values()]


def _gravity(finding: Finding) -> int:
    return _GRAVITY.index(type(finding.answer))


def _asks_for(finding: Finding) -> object:
    match finding.answer:
        case Warn(_, todo) | Fail(_, todo) if todo:
            return finding.check, type(finding.answer), todo
        case answer:
            return finding.check, answer


def _in_words(same: Sequence[Finding], local: Local) -> Told:
    stages = ", ".join(dict.fromkeys(finding.stage.label for finding in same))
    last = same[-1]
    title = printable(last.title)
    match last.answer:
        case Pass(evidence):
            return Told(stages, title, "holds", printable(evidence))
        case Warn(why, todo):
            return Told(stages, title, "warns", printable(why), printable(todo))
        case Wait(until, why):
            time = due(until, local) if until else "a time known after apply"
            return Told(stages, title, "waits", f"until {time}: {printable(why)}")
        case Fail(why, todo):
            return Told(stages, title, "fails", printable(why), printable(todo))
