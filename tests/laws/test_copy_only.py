"""Law 7: the mail engine can add; it has no code that deletes a message or a folder anywhere.

Nor has any other part a way to remove something that does not stand here with its reason.
"""

import re
from pathlib import Path

import pytest

import reconciler
from tests.laws.removals import Place, removals

PACKAGE = Path(reconciler.__file__).parent
DOCSTRING = re.compile(r'"""(?:.|\n)*?"""')

_ROW = "a row of a text in memory, which is then written as a whole"
_MEMORY = "of a list in memory"
_OWN_LOCK = "the empty lock file that we hold, beside the file that it is for"
_OWN_TEMPORARY = "the file that it has made itself a moment before"
_OUR_RECORDS = "a row of our own ledger, not of any mail"
_FLAG = "a flag's name, read and compared: none of these sets it (see the last test)"
_UNDOABLE = "a file that the step is to take away, put back where the step fails"
_TRAP = 'trap \'[ -z "$temporary" ] || rm -f -- "$temporary"; [ -z "$lock" ] || rm -f -- "$lock"\' EXIT'
_TAKE_OVER = 'if [ "${holder#*:}" = "$(uname -n)" ] && [ ! -e "/proc/${holder%%:*}" ]; then rm -f -- "$3"; continue; fi'
_TURN = "whose turn a mailbox is, of our own notes"
ALLOWED: dict[str, dict[str, str]] = {
    "app/copying/ledger.py": {"os.ftruncate(descriptor, 0)": "our own lock file, which names the machine"},
    "cli/demo_world.py": {"shutil.rmtree(folder)": "the demo's own folder, known by its mark, written anew"},
    "formats/mail_server/virtual_map.py": {
        "edit.replace(block.begin)": _ROW,
        "edit.replace(block.end)": _ROW,
        "edit.replace(gone)": _ROW,
        "edit.replace(row)": _ROW,
    },
    "formats/zone/edit.py": {"left.remove(old)": _MEMORY, "right.remove(rdata)": _MEMORY},
    "mailcopy/files/folder_pass.py": {
        "self._ledger.close_folder(…)": "notes in the ledger",
    },
    "mailcopy/files/following.py": {
        "delivery.rename(work.directory, work.there, turn.names)": "a name tells the flags; the program has -n",
    },
    "mailcopy/files/programs.py": {
        'trap \'[ -z "$attempt" ] || rm -rf -- "$attempt"\' EXIT': "the folder that it has made itself below tmp",
        'mv -n -t "$folder/$part" -- "$@"': "-n: a name that stands there already is left as it is",
        "xargs -0 -r -n 2 mv -n -T -- 2>/dev/null || [ $? -eq 123 ]": "-n: never over another message",
        'mv -n -T -- "$1" "$2/$3/$4"': "-n: never over another message",
        'mv -f -T -- "$temporary" "$2"': "Dovecot's list of UIDs, with the lines that it had, under its lock",
        _TRAP: "what it has made itself",
        _TAKE_OVER: "the lock of a dead process",
    },
    "mailcopy/imap/accounts.py": {"self._ledger.close_folder(…)": "notes in the ledger"},
    "mailcopy/imap/mailbox_pass.py": {"busy.remove(work)": _MEMORY},
    "mailcopy/imap/rows.py": {
        r"\* (\d{1,10}) (EXISTS|EXPUNGE)\r\n\Z": "what a server tells is read",
        "EXPUNGE": "what a server tells is compared",
    },
    "mailcopy/imap/writing.py": {"self.flying.remove(flight)": _MEMORY},
    "mailcopy/judge/opening.py": {r"\* \d+ EXPUNGE\b": "what a server tells is read"},
    "mailcopy/ledger/labels.py": {"DELETE FROM mail_messages WHERE folder = ? AND uid = ?": _OUR_RECORDS},
    "mailcopy/ledger/sqlite.py": {
        "DELETE FROM mail_batches WHERE number = ?": _OUR_RECORDS,
    },
    "mailcopy/ledger/turns.py": {
        "DELETE FROM mail_turns WHERE token = ?": _TURN,
        "DELETE FROM mail_wishes WHERE token = ?": _TURN,
        "DELETE FROM mail_turns WHERE account = ? AND token = ?": _TURN,
        "DELETE FROM mail_wishes WHERE account = ? AND token = ?": _TURN,
    },
    "mailcopy/ledger/statements.py": {"DELETE FROM mail_messages WHERE": _OUR_RECORDS},
    "mailcopy/model/flags.py": {"\\Deleted": _FLAG, "\\deleted": "the one flag that is not followed"},
    "mailcopy/model/judging.py": {
        "\\Deleted": _FLAG,
        "extra.remove(other)": _MEMORY,
        "missing.remove(one)": _MEMORY,
    },
    "mailcopy/model/maildir_name.py": {"\\Deleted": _FLAG},
    "mailcopy/model/mbox.py": {"\\Deleted": _FLAG},
    "mailcopy/model/refusal.py": {"EXPUNGEISSUED": "what a server answers is read (RFC 5530)"},
    "products/mailinabox/zone.py": {
        "DELETE": "a record of the zone that is no longer wanted, after the new ones stand"
    },
    "products/postfix_dovecot/mailbox_store.py": {"edit.replace(accounts.by_address[name].index)": _ROW},
    "products/rfc2136/update.py": {"message.delete(name, rdtype)": "an RRset that a step is to take away"},
    "products/zonefile/untold.py": {"self.mark.unlink(missing_ok=True)": "our mark that a name server is to be told"},
    "stores/attempt.py": {
        "self.remove(path, over=stood)": _UNDOABLE,
        "self._transport.remove(path)": "a file that a step takes away, or that a failed one had made",
    },
    "stores/managesieve.py": {
        "session.delete(found.script)": "a script that holds our rule and nothing else",
        "session.delete(created)": "the script that the failed step had made",
    },
    "stores/opendkim.py": {
        "attempt.remove(removed)": "a key that a step is to take away, in the folder of our keys",
        "naming.replace(row.index)": _ROW,
        "signing.replace(signer.index)": _ROW,
    },
    "stores/postfix_map.py": {
        "attempt.remove(index)": "the index of a map that is gone",
        "mv": "the index of a map, made anew beside it",
        "self._transport.remove(ahead)": _OWN_TEMPORARY,
        "self._transport.remove(made)": _OWN_TEMPORARY,
    },
    "stores/sieve_files.py": {
        "attempt.remove(folder.active)": "the link to the script that is switched off",
        "attempt.remove(found.file, over=found.resource.content.encode())": _UNDOABLE,
        "attempt.remove(path.with_suffix(_COMPILED))": "what Dovecot had made of that script",
    },
    "transports/atomic.py": {
        "Path(temporary).replace(path)": "the way in which every file is written: whole or not at all",
        "Path(temporary).unlink(missing_ok=True)": _OWN_TEMPORARY,
    },
    "transports/file_lock.py": {
        "lock.unlink(missing_ok=True)": _OWN_LOCK,
    },
    "transports/local.py": {
        "temporary.unlink(missing_ok=True)": _OWN_TEMPORARY,
        "temporary.replace(path)": "a link is made anew beside the old one",
        "Path(path).unlink()": "Transport.remove: the stores above say what",
    },
    "transports/managesieve/session.py": {
        "DELETESCRIPT": "the store above says which script",
        "self._client.deletescript(quoted(name))": "the store above says which script",
    },
    "transports/ssh/programs.py": {
        'trap \'[ -z "$temporary" ] || rm -f -- "$temporary"\' EXIT': _OWN_TEMPORARY,
        'mv -fT -- "$temporary" "$1"': "as transports/atomic.py",
        'mv -fT -- "$temporary" "$target"': "as transports/atomic.py",
        'rm -f -- "$1"': "Transport.remove: the stores above say what",
        'rm -f -- "$lock" || :': _OWN_LOCK,
    },
}


def allowed() -> set[Place]:
    return {(file, what) for file, each in ALLOWED.items() for what in each}


def test_nothing_can_be_removed_but_what_stands_here_with_its_reason() -> None:
    assert sorted(removals(PACKAGE) - allowed()) == []


def test_what_stands_here_is_still_there() -> None:
    assert sorted(allowed() - removals(PACKAGE)) == [], "stale: take it off the list"
    assert all(reason for each in ALLOWED.values() for reason in each.values())


def test_the_mail_engine_is_looked_at_however_deep() -> None:
    looked_at = {Path(file).parts[:2] for file in ALLOWED if file.startswith("mailcopy/")}
    assert {part for _, part in looked_at} >= {"files", "imap", "ledger", "model"}


@pytest.mark.parametrize(
    "source",
    [
        'COMMAND = b"UID EXPUNGE 1:*"',
        'COMMAND = "uid expunge 1:*"',
        'def sweep(wire):\n    """Tidy."""\n    wire.send(f"{wire.tag} DELETE {wire.folder}")',
        "def sweep(client):\n    client.delete_messages([1])",
        "def sweep(client):\n    return client.expunge",
        'FLAGS = "+FLAGS (\\\\Deleted)"',
        "import os\n\ndef sweep(path):\n    os.remove(path)",
        "import os\n\ndef sweep(paths):\n    list(map(os.remove, paths))",
        "from os import remove\n\ndef sweep(path):\n    remove(path)",
        "from shutil import rmtree as tidy\n\ndef sweep(path):\n    tidy(path)",
        "def sweep(path):\n    path.unlink()",
        "def sweep(path, other):\n    other.replace(path)",
        'SWEEP = """\ncd -- "$1"\nrm -rf -- cur\n"""',
        'SWEEP = ("find", ".", "-type", "f", "-delete")',
        'SWEEP = ("doveadm", "expunge", "-A", "ALL")',
        'SWEEP = "doveadm mailbox delete -u ann INBOX"',
    ],
)
def test_code_that_removes_is_found_in_a_folder_that_nobody_thought_of(tmp_path, source) -> None:
    folder = tmp_path / "mailcopy" / "jmap" / "deeper"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "sweep.py").write_text(
        f'"""Expunge, DELETE and rm are told of here, and that is no code."""\n\n{source}\n'
    )
    found = removals(tmp_path)
    assert found - allowed()
    assert {file for file, _ in found} == {"mailcopy/jmap/deeper/sweep.py"}


def test_programs_that_are_kept_in_files_of_their_own_are_looked_at_too(tmp_path) -> None:
    (tmp_path / "sweep.sh.j2").write_text('cd -- "$1"\n  rm -rf -- "{{ folder }}"\n')
    assert removals(tmp_path) == {("sweep.sh.j2", 'rm -rf -- "{{ folder }}"')}


def test_what_is_told_in_prose_and_what_only_adds_is_left_alone(tmp_path) -> None:
    (tmp_path / "add.py").write_text(
        '"""Never EXPUNGE."""\n\nSIZE = 3\n"""After a DELETE of the other."""\n\n\n'
        'def add(text: str, move: object) -> str:\n    """rm is no word of ours."""\n'
        '    return text.replace("a", "b") + str(move) + "remove the old line, then close the file"\n'
    )
    assert removals(tmp_path) == set()


def test_the_only_store_adds_and_takes_flags_and_no_mark_of_deletion_is_added() -> None:
    code = {path: DOCSTRING.sub("", path.read_text()) for path in PACKAGE.rglob("*.py")}
    stores = [path.relative_to(PACKAGE).as_posix() for path, text in code.items() if re.search(r"\bSTORE\b", text)]
    assert stores == ["mailcopy/imap/flags.py"]
    assert "Deleted" not in code[PACKAGE / "mailcopy" / "imap" / "flags.py"]
