"""How plans can be shown: the renderers by the names of their modules."""

from typing import Final

from reconciler.extend import Renderer
from reconciler.model.plan import Plan
from reconciler.plugins import declared, members
from reconciler.render.text import Look, show

TEXT: Final = "text"


def format_names() -> tuple[str, ...]:
    """The words for ``--format``."""
    return members("reconciler.render")


def shown(plan: Plan, form: str, look: Look) -> str:
    """The plan in a format; only text can be looked at in more than one way."""
    return show(plan, look) if form == TEXT else declared(f"reconciler.render.{form}", Renderer).render(plan)
