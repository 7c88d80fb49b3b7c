"""The program in surroundings that miss something: streams, a home, a terminal, a language, a working folder."""

import os

import pytest

from tests.badinput.conftest import JOURNAL, edit, goes_on, nothing_changes

CLOSING = ("/bin/sh", "-c", 'closed=$1; shift; eval "exec \\"\\$@\\" $closed"', "closing")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_neither_stop_a_run_nor_get_into_a_file(process, run, world, spec, closed):
    assert process("plan", spec, before=(*CLOSING, closed)).code == 2
    result = process("apply", spec, "--yes", before=(*CLOSING, closed))
    assert result.code == 0, result.err
    assert run("plan", spec).code == 0
    for path in world.rglob("*"):
        assert path.name == JOURNAL or not path.is_file() or b"read again" not in path.read_bytes().lower()


@pytest.mark.parametrize("stdin", ["closed", "empty"])
def test_without_anybody_to_ask_nothing_is_changed(process, world, spec, stdin):
    before = (*CLOSING, "<&-") if stdin == "closed" else ()
    with nothing_changes(world, JOURNAL):
        result = process("apply", spec, before=before)
        assert result.code == 1
        assert "standard input is not a terminal, so nobody can be asked" in result.err
        assert "give --yes to go on without a question; nothing was changed" in result.err


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]])
def test_a_reader_that_has_gone_ends_the_program_quietly(process, run, world, spec, command):
    name, *options = command
    read, write = os.pipe()
    os.close(read)
    with nothing_changes(world, JOURNAL):
        result = process(name, spec, *options, stdout=write)
    os.close(write)
    assert (result.code, result.err) == (1, "")
    goes_on(run, spec)


def test_a_reader_of_the_talk_that_has_gone_leaves_whole_steps(start, run, world, spec):
    child = start("apply", spec, "--yes")
    child.stderr.close()
    child.stdout.read()
    assert child.wait(60) in {0, 1}
    child.stderr = None
    goes_on(run, spec)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HOME": "/nonexistent", "PATH": "/nonexistent"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LANG": "xx_YY.nonsense", "TERM": "dumb", "COLUMNS": "0", "TZ": "Nowhere/Land"},
    ],
)
def test_names_outside_of_ascii_survive_whatever_the_environment_says(process, run, world, spec, environment):
    edit(spec, ("Ann Example", "Änn Bücher 漢"))
    named = spec.rename(world / "umzug-bücher.yaml")
    result = process("apply", named, "--yes", environment=environment)
    assert result.code == 0, result.err
    assert "\x1b" not in result.said
    assert "Änn Bücher 漢".encode() in (world / "new" / "users").read_bytes()
    assert run("plan", named).code == 0


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_color_is_what_the_environment_wants(run, spec, monkeypatch, environment, colored):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run("plan", spec).out) is colored


def test_a_working_folder_that_is_gone_matters_only_to_relative_paths(process, tmp_path, world, spec):
    gone = tmp_path / "gone"
    gone.mkdir()
    leave = ("/bin/sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(gone))
    assert process("plan", spec, before=leave).code == 2
    gone.mkdir()
    result = process("plan", os.path.relpath(spec, gone), before=leave)
    assert result.code == 1
    assert "no such file or directory" in result.err or "the working directory is not there any more" in result.err
