"""A plan as JSON: what ``--out`` saves and ``apply`` reads."""

from reconciler.extend import Renderer
from reconciler.model.codec import encode_plan
from reconciler.model.plan import Plan
from reconciler.wording.json_text import json_text


def show(plan: Plan) -> str:
    """The saved plan with its digest, two blanks a level, with its final line end."""
    return f"{json_text(encode_plan(plan), indent=2)}\n"


RENDERER = Renderer(".json", show)
