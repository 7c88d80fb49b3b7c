"""``reconciler validate``."""

from collections.abc import Sequence
from pathlib import Path

from reconciler.app.move import problems_of
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.console import Console
from reconciler.errors import Problem, ReconcilerError
from reconciler.wording.json_text import json_text
from reconciler.wording.printable import printable


def run_validate(paths: Sequence[Path], console: Console, *, as_json: bool = False) -> Code:
    """Tell every problem of every spec."""
    found = {str(path): problems_of(path) for path in paths}
    sound = not any(found.values())
    if as_json:
        specs = [{"spec": path, "problems": [_data(problem) for problem in each]} for path, each in found.items()]
        console.result(f"{json_text({'sound': sound, 'specs': specs}, indent=2)}\n")
    else:
        for path, problems in found.items():
            console.result(
                "".join(f"{printable(str(problem))}\n" for problem in problems) or f"{printable(path)}: sound\n"
            )
        if not sound:
            count = sum(map(len, found.values()))
            console.complain(ReconcilerError(f"{count} {'problem' if count == 1 else 'problems'}"))
    return Code.DONE if sound else Code.FAILED


def _data(problem: Problem) -> dict[str, str | int]:
    return {"file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message}
