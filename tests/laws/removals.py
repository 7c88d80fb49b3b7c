"""Every place in a tree of sources that could remove or overwrite something: a file, a folder, a message, a mailbox.

Python is read as a syntax tree. What counts are names of functions that remove, wherever they stand, and words of
commands in strings, docstrings apart; in files of any other kind, the same words in each line.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_REMOVE = frozenset({
    "unlink", "rmtree", "rmdir", "removedirs", "truncate", "ftruncate", "renames",  # files
    "expunge", "uid_expunge", "delete_messages", "delete_folder", "rename_folder", "close_folder", "unsubscribe_folder",
    "setacl", "deleteacl", "uid_move", "copy_and_delete", "deletescript",
})  # fmt: skip
_MAY_REMOVE = frozenset({"remove", "delete", "rename", "move", "replace"})
"""As methods of some things; as a function of the modules below always."""
_OF_FILES = frozenset({"os", "shutil", "pathlib"})
_WORDS = re.compile(
    r"\b(EXPUNGE|DELETE[A-Z]*|RENAME[A-Z]*|MOVE|CLOSE|UNSUBSCRIBE|SETACL|DROP|TRUNCATE)\b"  # IMAP, ManageSieve, SQL
    r"|(?i:expunge|\\deleted\b|\bdoveadm\b.*\b(delete|move|purge)\b)"
    r"|\brm\b|\brmdir\b|\bunlink\b|\bshred\b|\btruncate\b|-delete\b|--remove|-exec(dir)?\b|\bmv\b|\bdd\b"  # programs
)

Place = tuple[str, str]
"""File, relative to the tree, and what stands there: a call (its function if long), a name, a line of a string."""
_LONG = 80


def removals(tree: Path) -> set[Place]:
    """In all files below the folder, however deep."""
    return {
        (path.relative_to(tree).as_posix(), what)
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for what in (_in_python(path.read_text()) if path.suffix == ".py" else _in_text(path.read_text()))
    }


def _in_text(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if _WORDS.search(line))


def _in_python(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function) if _removes(function) or _may_remove(node):
                whole = ast.unparse(node)
                yield whole if len(whole) < _LONG else f"{ast.unparse(function)}(…)"
            case ast.Attribute() | ast.Name() if id(node) not in called and _removes(node):
                yield ast.unparse(node)
            case ast.ImportFrom(module=module, names=names):
                known = _REMOVE | (_MAY_REMOVE if module in _OF_FILES else frozenset())
                yield from (f"from {module} import {each.name}" for each in names if each.name in known)
            case ast.Constant(value=str() | bytes() as value) if id(node) not in told:
                yield from _in_text(value if isinstance(value, str) else value.decode("latin-1"))


def _removes(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _OF_FILES:
            return name in _REMOVE | _MAY_REMOVE
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _REMOVE
        case _:
            return False


def _may_remove(call: ast.Call) -> bool:
    """A method; ``replace`` of one argument is that of a path, which overwrites what stood there."""
    match call.func:
        case ast.Attribute(attr="replace"):
            return len(call.args) == 1 and not call.keywords
        case ast.Attribute(attr=name):
            return name in _MAY_REMOVE
        case _:
            return False
