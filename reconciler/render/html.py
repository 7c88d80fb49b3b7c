"""A plan as one HTML page that needs nothing beside it."""

from typing import Any, Final

from reconciler.extend import Renderer
from reconciler.model.codec import plan_digest
from reconciler.model.plan import Plan, Step
from reconciler.render.phrases.changes import words
from reconciler.render.phrases.closing import counts, next_thing
from reconciler.render.phrases.naming import PLACES, thing, title
from reconciler.render.phrases.sections import sections
from reconciler.render.phrases.verdicts import note, told, verdict
from reconciler.wording.times import moment

_TEMPLATE: Final = "plan.html.j2"


def show(plan: Plan) -> str:
    """The whole page; everything that was read from a server is escaped, and printable as all phrases are."""
    import jinja2  # noqa: PLC0415 - only this format needs it, and all formats are discovered together

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reconciler.render", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(_TEMPLATE).render(
        title=title(plan),
        counts=counts(plan) if plan.steps else "",
        next=next_thing(plan),
        made_at=moment(plan.made_at),
        digest=plan_digest(plan),
        answers=told(plan.findings),
        stages=[
            (stage, [(PLACES[s.place], [_row(step) for step in s.steps]) for s in found])
            for stage, found in sections(plan)
        ],
    )


def _row(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "sign": step.change.verb.value,
        "thing": thing(step.change.address),
        "words": words(step.change),
        "status": step.verdict.status.name.lower(),
        "verdict": verdict(step.verdict),
        "note": note(step),
    }


RENDERER = Renderer(".html", show)
