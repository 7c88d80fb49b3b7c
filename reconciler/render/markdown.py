"""A plan for a pull request (GitHub Flavored Markdown).

The first line is a comment that readers do not see and that stays the same from plan to plan, so that a later plan can
replace the comment instead of adding one more.
"""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.extend import Renderer
from reconciler.model.codec import plan_digest
from reconciler.model.plan import Plan, Step
from reconciler.model.verdict import Pass, Status
from reconciler.render.phrases.changes import words
from reconciler.render.phrases.closing import counts, next_thing
from reconciler.render.phrases.naming import PLACES, thing, title
from reconciler.render.phrases.sections import sections
from reconciler.render.phrases.verdicts import note, told, verdict
from reconciler.wording.printable import printable
from reconciler.wording.times import moment

MOST: Final = 60_000  # characters; GitHub takes 65,536 in a comment, and the caller may want to add a word
_TICKS: Final = re.compile("`+")
_ACTIVE: Final = re.compile(r"([\\`*_{}\[\]<>|~!&])")
_LINKED: Final = re.compile(r"[@#]|://|www\.|GH-\d", re.IGNORECASE)
_BAR: Final = r"\x7c"
_BAR_BEHIND: Final = re.compile(r"(?<=\\)\|")


def marker(domain: str) -> str:
    """By which the comment of an earlier plan is found again."""
    return f"<!-- reconciler plan {printable(domain).replace('>', '')} -->"


def show(plan: Plan) -> str:
    """The whole plan or, where it is longer than a comment may be, its beginning and a warning."""
    head = [marker(plan.domain), f"### {_plain(title(plan))}", "", f"**{_plain(_summary(plan))}**", ""]
    foot = ["", f"Read at {moment(plan.made_at)}. Plan digest `{plan_digest(plan)}`.", ""]
    body = [*_findings(plan), *_steps(plan)]
    whole = "\n".join([*head, *body, *foot])
    return whole if len(whole) <= MOST else _cut(plan, head, body, foot)


def _cut(plan: Plan, head: list[str], body: list[str], foot: list[str]) -> str:
    warning = (
        f"> **This plan is cut.** It is too long for a comment: {len(plan.steps):,} steps in all. A plan that is cut "
        "must not be approved; read all of it with `reconciler plan` or in the saved plan."
    )
    room = MOST - len("\n".join([*head, warning, "", *foot])) - 1
    shown: list[str] = []
    for line in body:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    return "\n".join([*head, warning, "", *shown, *foot])


def _summary(plan: Plan) -> str:
    return f"{counts(plan)}. {next_thing(plan)}" if plan.steps else next_thing(plan)


def _findings(plan: Plan) -> Iterator[str]:
    shown = told(finding for finding in plan.findings if not isinstance(finding.answer, Pass))
    for answer in shown:
        todo = f" *Do:* {_plain(answer.todo)}" if answer.todo else ""
        yield f"- **{answer.word}** ({answer.stages}) {_plain(answer.title)}: {_plain(answer.text)}{todo}"
    if shown:
        yield ""


def _steps(plan: Plan) -> Iterator[str]:
    for stage, found in sections(plan):
        yield f"#### {stage.label}"
        yield ""
        yield "| # | | what | change | when |"
        yield "|--:|:-:|---|---|---|"
        for section in found:
            yield from (_row(step) for step in section.steps)
        yield ""


def _row(step: Step) -> str:
    what = f"{PLACES[step.change.address.place]}: {_cell(thing(step.change.address))}"
    when = "now" if step.verdict.status is Status.RUN else _plain(verdict(step.verdict))
    more = f"<br>{_cell(note(step))}" if note(step) else ""
    return f"| {step.number} | `{step.change.verb.value}` | {what} | {_cell(words(step.change))} | {when}{more} |"


def _plain(text: str) -> str:
    """Text that means nothing in Markdown or HTML, on one line.

    GitHub makes links of addresses, URLs, mentions and numbers of issues after Markdown has been read, where a
    backslash no longer helps; it leaves code alone.
    """
    return " ".join(
        _linkless(word) if _LINKED.search(word) else _ACTIVE.sub(r"\\\1", word) for word in printable(text).split()
    )


def _linkless(word: str) -> str:
    """As code, without the stops behind it."""
    name = word.rstrip(",.:;")
    return f"{_code(name.replace('|', _BAR))}{word.removeprefix(name)}"


def _cell(text: str) -> str:
    r"""Code that does not end a table's cell (GFM, section 4.10): there ``\|`` is a bar.

    A bar behind a backslash is read as a bar by some and as the cell's end by others: it is shown as its escape.
    """
    return _code(_BAR_BEHIND.sub(lambda _: _BAR, text).replace("|", "\\|"))


def _code(text: str) -> str:
    """A code span that holds the text whatever it is (GFM, section 6.3)."""
    line = " ".join(printable(text).split())
    if not line:
        return ""
    fence = "`" * (max(map(len, _TICKS.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


RENDERER = Renderer(".md", show)
