"""What the judge takes from the copier: the way in, the transport, and two plain values for the mapping of folders."""

import ast
from collections.abc import Iterator
from pathlib import Path

import reconciler.mailcopy.judge

PACKAGE = Path(reconciler.mailcopy.judge.__file__).parent
COPIER = "reconciler.mailcopy.imap"
ALLOWED = {
    "session": {"Session", "session"},
    "wire": {"Answer", "Parts"},
    "job": {"Endpoint", "MailboxCopy"},
    "folder_plan": {"folder_plan"},
    "labels": {"folder_rules"},
    "survey": {"Survey"},
    "folder_lists": {"Status"},
}


def taken(source: str) -> Iterator[tuple[str, str]]:
    """Module of the copier and name, of everything that is imported from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(COPIER):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names if alias.name.startswith(COPIER))


def strays(source: str) -> list[str]:
    return [
        f"{module}.{name}"
        for module, name in taken(source)
        if name not in ALLOWED.get(module.removeprefix(f"{COPIER}."), set())
    ]


def test_the_judge_takes_nothing_that_the_copier_has_read() -> None:
    found = {path.name: strays(path.read_text()) for path in PACKAGE.rglob("*.py")}
    assert {name: each for name, each in found.items() if each} == {}
    assert len(found) > 10


def test_nor_do_relative_imports_or_imports_by_name() -> None:
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
        assert not any(
            isinstance(node, ast.Name) and node.id in {"__import__", "import_module"} for node in ast.walk(tree)
        )


def test_what_is_allowed_is_still_taken() -> None:
    found = {found for path in PACKAGE.rglob("*.py") for found in taken(path.read_text())}
    assert {(f"{COPIER}.{module}", name) for module, names in ALLOWED.items() for name in names} == found


def test_a_stray_is_found() -> None:
    assert strays("from reconciler.mailcopy.imap.survey import Survey, survey")
    assert strays("from reconciler.mailcopy.imap.grammar import fetched")
    assert strays("from reconciler.mailcopy.imap import listing")
    assert strays("import reconciler.mailcopy.imap.reading")
    assert not strays("from reconciler.mailcopy.imap.survey import Survey")
