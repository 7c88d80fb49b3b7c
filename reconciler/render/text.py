"""A plan for the terminal: one line a step."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.extend import Renderer
from reconciler.model.change import Verb
from reconciler.model.plan import Plan, Step
from reconciler.model.verdict import Pass, Status, Verdict
from reconciler.render.phrases.changes import words
from reconciler.render.phrases.closing import counts, next_thing
from reconciler.render.phrases.naming import PLACES, thing, title
from reconciler.render.phrases.sections import Section, sections
from reconciler.render.phrases.verdicts import note, told, verdict
from reconciler.wording.style import Style
from reconciler.wording.times import Local, in_utc, moment

_COLORS: Final = {"fails": Style.removed, "warns": Style.changed, "waits": Style.waiting, "holds": Style.made}
_LONG: Final = frozenset({Status.WAIT, Status.BLOCKED})  # their reasons take a line each
_WIDEST_NAME: Final = 44  # characters; longer names push the rest of their own line to the right, not of all


@dataclass(frozen=True, slots=True)
class Look:
    """How the plan is shown.

    ``verbose`` adds what the checks that hold have seen. ``spec`` is the path by which the user named the spec;
    ``untouched`` how many of the things that were read are not ours. Without ``advises`` the last line does not say
    what to do next, for a caller who is about to do it.
    """

    style: Style = field(default_factory=Style)
    verbose: bool = False
    local: Local = in_utc
    spec: str = ""
    untouched: int | None = None
    advises: bool = True


def show(plan: Plan, look: Look | None = None) -> str:
    """The whole plan, with its final line end."""
    look = look or Look()
    return "\n".join([*_head(plan, look), *_steps(plan, look), *_findings(plan, look), *_foot(plan, look), ""])


def _head(plan: Plan, look: Look) -> Iterator[str]:
    yield look.style.heading(title(plan)) + look.style.faint(f"  as read at {moment(plan.made_at, look.local)}")


def _steps(plan: Plan, look: Look) -> Iterator[str]:
    wide = len(str(len(plan.steps)))
    told = _Told(look)
    for stage, found in sections(plan):
        yield ""
        yield look.style.heading(stage.label)
        for section in found:
            yield f"  {PLACES[section.place]}"
            yield from _section(section, told, wide)


def _section(section: Section, told: "_Told", wide: int) -> Iterator[str]:
    style = told.look.style
    signs = {Verb.CREATE: style.made("+"), Verb.UPDATE: style.changed("~"), Verb.DELETE: style.removed("-")}
    names = [thing(step.change.address) for step in section.steps]
    width = min(max(map(len, names)), _WIDEST_NAME)
    for step, name in zip(section.steps, names, strict=True):
        line = f"    {step.number:>{wide}} {signs[step.change.verb]} {name:<{width}}  {words(step.change)}"
        if step.verdict.status is not Status.RUN:
            line = f"{line.rstrip()}  {told.verdict(step)}"
        yield line.rstrip()
        if step.note:
            yield f"    {'':>{wide}}   {style.faint(note(step))}"


@dataclass(frozen=True, slots=True)
class _Told:
    """What holds steps back, each reason told once: at the first step that it holds back."""

    look: Look
    at: dict[Verdict, int] = field(default_factory=dict)

    def verdict(self, step: Step) -> str:
        style, given = self.look.style, step.verdict
        first = self.at.setdefault(given, step.number)
        again = first != step.number and given.status in _LONG
        text = verdict(replace(given, why=f"as step {first}") if again else given, self.look.local)
        return style.removed(f"[{text}]") if given.status is Status.BLOCKED else style.waiting(f"[{text}]")


def _findings(plan: Plan, look: Look) -> Iterator[str]:
    shown = [finding for finding in plan.findings if look.verbose or not isinstance(finding.answer, Pass)]
    if not shown:
        return
    yield ""
    yield look.style.heading("checks")
    for answer in told(shown, look.local):
        word = _COLORS[answer.word](look.style, answer.word)
        yield f"  {word}  {answer.stages}: {answer.title}: {answer.text}"
        if answer.todo:
            yield f"         do: {answer.todo}"


def _foot(plan: Plan, look: Look) -> Iterator[str]:
    yield ""
    if look.untouched is not None:
        yield f"{look.untouched:,} {'thing' if look.untouched == 1 else 'things'} that were read are not touched"
    parts = [counts(plan, look.local)] if plan.steps else []
    parts += [next_thing(plan, look.spec, look.local)] if look.advises or not plan.steps else []
    yield look.style.heading(". ".join(parts))


RENDERER = Renderer(".txt", show)
