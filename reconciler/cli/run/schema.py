"""``reconciler schema``."""

import json
from pathlib import Path
from typing import Any

from reconciler.backends._atomic import replace
from reconciler.cli.run._backends import SERVERS, ZONES, Options, backend
from reconciler.cli.run._console import Console
from reconciler.cli.run._exits import Code
from reconciler.model.saved_plan import SavedPlan
from reconciler.spec.schema import DIALECT, spec_schema


def run_schema(
    console: Console, *, out: Path | None = None, plan: bool = False, backends: bool = False, as_json: bool = False
) -> Code:
    """Print or write the schema of a spec or of a saved plan, or list the products."""
    schema = plan_schema if plan else migration_schema
    if backends and as_json:
        console.result(f"{json.dumps({'servers': _described(SERVERS), 'dns': _described(ZONES)}, indent=2)}\n")
    elif backends:
        console.result(_products("server products", SERVERS) + "\n" + _products("DNS products", ZONES))
    elif out:
        replace(out.absolute(), schema().encode(), mode=0o644)
        console.say(f"written to {out}")
    else:
        console.result(schema())
    return Code.DONE


def migration_schema() -> str:
    """The JSON Schema of a spec, with the options of every product."""
    return f"{json.dumps(spec_schema(Options(SERVERS), Options(ZONES)), indent=2, ensure_ascii=False)}\n"


def plan_schema() -> str:
    """The JSON Schema of a saved plan."""
    said = SavedPlan.model_json_schema()
    return f"{json.dumps({'$schema': DIALECT, **said}, indent=2, ensure_ascii=False)}\n"


def _described(family: str) -> dict[str, Any]:
    """Each product with its title and the JSON Schema of its options."""
    products = {name: backend(family, name) for name in Options(family)}
    return {name: {"title": it.title, "options": it.options.model_json_schema()} for name, it in products.items()}


def _products(title: str, family: str) -> str:
    names = list(Options(family))
    wide = max(map(len, names))
    return f"{title}\n" + "".join(f"  {name:<{wide}}  {backend(family, name).title}\n" for name in names)
