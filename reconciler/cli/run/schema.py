"""``reconciler schema``."""

import json
from pathlib import Path
from typing import Any

from reconciler.app.products import SERVERS, ZONES, Options, Products
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.console import Console
from reconciler.model.saved_plan import SavedPlan
from reconciler.spec.schema import DIALECT, spec_schema
from reconciler.transports.atomic import replace


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
    return f"{json.dumps(spec_schema(Options(SERVERS), Options(ZONES)), indent=2)}\n"


def plan_schema() -> str:
    """The JSON Schema of a saved plan."""
    said = SavedPlan.model_json_schema()
    return f"{json.dumps({'$schema': DIALECT, **said}, indent=2)}\n"


def _described(family: Products) -> dict[str, Any]:
    """Each product with its title and the JSON Schema of its options."""
    return {name: {"title": it.title, "options": it.options.model_json_schema()} for name, it in family.items()}


def _products(title: str, family: Products) -> str:
    wide = max(map(len, family))
    return f"{title}\n" + "".join(f"  {name:<{wide}}  {product.title}\n" for name, product in family.items())
