"""How plans can be shown: the renderers by the names of their modules.

Completion asks for the names, so that nothing is loaded before a plan is shown.
"""

from typing import TYPE_CHECKING, Final

from reconciler.plugins import declared, members

if TYPE_CHECKING:
    from reconciler.model.plan import Plan
    from reconciler.render.text import Look

TEXT: Final = "text"


def format_names() -> tuple[str, ...]:
    """The words for ``--format``."""
    return members("reconciler.render")


def shown(plan: "Plan", form: str, look: "Look") -> str:
    """The plan in a format; only text can be looked at in more than one way."""
    from reconciler.extend import Renderer  # noqa: PLC0415 - see the first lines of this module
    from reconciler.render.text import show  # noqa: PLC0415

    return show(plan, look) if form == TEXT else declared(f"reconciler.render.{form}", Renderer).render(plan)
