"""Law 7 for the copy by files: it adds and renames; what it removes is only what it has itself put below tmp."""

import re
from pathlib import Path

import reconciler
from reconciler.mailcopy.files import programs

FOLDER = Path(reconciler.__file__).parent / "mailcopy" / "files"
PROGRAMS = {name: "\n".join(value) for name, value in vars(programs).items() if name.isupper() and value}
OWN = {"$attempt", "$temporary", "$lock", "$3"}
"""Made by the program itself below tmp, and the lock that it holds or takes over from a dead process."""


def test_there_is_something_to_look_at() -> None:
    assert {"LIST", "DELIVER", "RENAME", "SWAP"} <= PROGRAMS.keys()
    assert len(list(FOLDER.rglob("*.py"))) > 7


def test_nothing_in_python_removes_a_file() -> None:
    for source in FOLDER.rglob("*.py"):
        assert not re.search(r"unlink|rmtree|rmdir|os\.remove|\.remove\(|\.replace\(path", source.read_text()), (
            source.name
        )


def test_programs_remove_only_what_they_made() -> None:
    removed = [target for text in PROGRAMS.values() for target in re.findall(r"\brm -r?f -- \"([^\"]*)\"", text)]
    assert len(removed) == sum(len(re.findall(r"\brm\b", text)) for text in PROGRAMS.values())
    assert set(removed) <= OWN
    for text in PROGRAMS.values():
        assert not re.search(r"-delete|unlink|rmdir|shred|truncate|--remove|-exec", text)


def test_a_message_is_never_moved_over_another() -> None:
    moves = {name: re.findall(r"\bmv (-\S+)", text) for name, text in PROGRAMS.items()}
    assert {name for name, how in moves.items() if how} == {"DELIVER", "FINISH", "RENAME", "SWAP"}
    assert all(how == "-n" for name, each in moves.items() if name != "SWAP" for how in each)
