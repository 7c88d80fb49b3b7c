"""Law 7: the mail engine can add; it has no code that deletes a message or a folder anywhere."""

import re
from pathlib import Path

import reconciler

PACKAGE = Path(reconciler.__file__).parent
SOURCES = [source for source in (PACKAGE / "mailcopy").rglob("*.py") if source.parent.name not in {"files", "ledger"}]
COMMANDS = re.compile(
    r"""b?["'][^"']*\b(EXPUNGE|UID EXPUNGE|DELETE|RENAME|MOVE|CLOSE|UNSUBSCRIBE|SETACL|DELETEACL)\b[ "']"""
    r"""|delete_messages|\.expunge\(|delete_folder|rename_folder|\.move\(|close_folder\("[^)]|uid_expunge"""
)
DOCSTRING = re.compile(r'"""(?:.|\n)*?"""')


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 20


def test_no_command_that_removes_anything_is_ever_formed() -> None:
    for source in SOURCES:
        code = DOCSTRING.sub("", source.read_text())
        assert not COMMANDS.search(code), (source.name, COMMANDS.search(code))


def test_the_only_store_adds_and_takes_flags_and_no_mark_of_deletion_is_added() -> None:
    stores = [source.name for source in SOURCES if "UID STORE" in DOCSTRING.sub("", source.read_text())]
    assert stores == ["flags.py"]
    code = (PACKAGE / "mailcopy" / "imap" / "flags.py").read_text()
    assert "Deleted" not in DOCSTRING.sub("", code)
