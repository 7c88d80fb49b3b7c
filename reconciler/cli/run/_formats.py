"""How plans can be shown: the renderers by the names of their modules."""

import pkgutil
from typing import Final

import reconciler.render
from reconciler.extend import Renderer
from reconciler.model.plan import Plan
from reconciler.plugins import declared
from reconciler.render.text import Look, show

TEXT: Final = "text"


def format_names() -> tuple[str, ...]:
    """The words for ``--format``."""
    names = (module.name for module in pkgutil.iter_modules(reconciler.render.__path__))
    return tuple(name for name in names if not name.startswith("_"))


def shown(plan: Plan, form: str, look: Look) -> str:
    """The plan in a format; only text can be looked at in more than one way."""
    return show(plan, look) if form == TEXT else declared(f"reconciler.render.{form}", Renderer).render(plan)
