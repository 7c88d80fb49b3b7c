import re
import subprocess

import pytest

from tests.support.program import PROGRAM, ROOT

COMMANDS = ("validate", "plan", "apply", "rollback", "status", "history", "schema")


def test_help_names_every_command_and_exit_code(run):
    shown = run("--help")
    assert shown.code == 0
    for word in (*COMMANDS, "waits until its time", "NO_COLOR", "reconciler apply migration.yaml"):
        assert word in shown.out
    assert "..." not in shown.out.partition("Commands:")[2]  # said in full on a narrow terminal too


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_examples_in_its_help(run, command):
    shown = run(command, "--help")
    assert shown.code == 0
    assert re.search(rf"Examples:\n +reconciler {command} ", shown.out)


def test_the_version_is_told(run):
    assert re.fullmatch(r"reconciler \d+\.\d+\.\d+\n", run("--version").out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan"], "Missing argument"),
        (["plam"], "No such command"),
        (["plan", "x.yaml", "--colour"], "No such option"),
        (["plan", "x.yaml", "--stage", "cutlery"], "'cutlery' is not a stage; the stages are prepare, overlap"),
        (["plan", "x.yaml", "--format", "pdf"], "'pdf' is not a format; the formats are html, json, markdown, text"),
        (["plan", "x.yaml", "y.yaml", "--out", "p.json"], "a file holds the plan of one spec"),
        (["apply", "p.json", "x.yaml"], "a saved plan is applied by itself"),
        (["apply", "p.json", "--plan", "q.json"], "give the spec here"),
        (["rollback", "x.yaml"], "one of --run N, --stage STAGE and --all"),
        (["rollback", "x.yaml", "--all", "--run", "1"], "one of --run N, --stage STAGE and --all"),
    ],
)
def test_a_wrong_command_line_is_an_error_and_never_looks_like_planned_changes(run, arguments, said):
    shown = run(*arguments)
    assert shown.code == 1
    assert said in " ".join(shown.err.split())
    assert shown.out == ""


def test_no_command_shows_the_help(run):
    shown = run()
    assert "Commands:" in shown.out + shown.err


def test_an_unexpected_error_is_called_a_bug_without_a_traceback(run, spec, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError("nobody thought of that")

    monkeypatch.setattr("reconciler.cli.run.validate.run_validate", broken)
    shown = run("validate", spec)
    assert shown.code == 1
    assert shown.err.startswith("error: this is a bug in reconciler: ZeroDivisionError: nobody thought of that\n")
    assert "RECONCILER_TRACEBACK=1" in shown.err
    assert "Traceback" not in shown.err
    monkeypatch.setenv("RECONCILER_TRACEBACK", "1")
    assert "Traceback" in run("validate", spec).err


def test_an_error_of_the_machine_names_the_file(run, spec, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "/somewhere/file")

    monkeypatch.setattr("reconciler.cli.run.validate.run_validate", full)
    shown = run("validate", spec).err
    assert shown == "error: /somewhere/file: no space left on device; mend that and run the same command again\n"


def test_a_reader_that_goes_away_is_no_error_to_talk_about(spec):
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" "$@" | true', *PROGRAM, "schema"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stderr == ""


def test_characters_that_the_terminal_cannot_show_do_not_end_a_run(process, tmp_path):
    child = process("validate", tmp_path / "grüße.yaml", environment={"PYTHONIOENCODING": "ascii"})
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "gr??e.yaml" in out + err
    assert "Traceback" not in err


def _completed(process, words):
    environment = {
        "_RECONCILER_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    out, err = process(environment=environment).communicate(timeout=60)
    assert "Traceback" not in err
    return out.split()


def test_stages_are_completed(process):
    assert _completed(process, ["reconciler", "plan", "x.yaml", "--stage", "c"]) == ["cutover"]


def test_formats_are_completed(process):
    assert _completed(process, ["reconciler", "plan", "x.yaml", "--format", "m"]) == ["markdown"]


def test_specs_are_completed_and_folders_on_the_way_to_them(process, tmp_path):
    (tmp_path / "moves").mkdir()
    for name in ("move.yaml", "more.yml", "most.txt", "more.json"):
        (tmp_path / name).touch()
    begun = f"{tmp_path}/mo"
    expected = [f"{tmp_path}/more.yml", f"{tmp_path}/move.yaml", f"{tmp_path}/moves/"]
    assert _completed(process, ["reconciler", "plan", begun]) == expected
    assert f"{tmp_path}/more.json" in _completed(process, ["reconciler", "apply", begun])


def test_bash_completes_commands_options_stages_and_the_way_to_a_spec(process, tmp_path):
    (tmp_path / "moves" / "spring").mkdir(parents=True)
    for name in ("a.yaml", "b.yml", "notes.txt"):
        (tmp_path / "moves" / "spring" / name).touch()

    def completed(*words):
        said = {"COMP_WORDS": "\n".join(["reconciler", *words]), "COMP_CWORD": str(len(words))}
        child = process(environment=said | {"_RECONCILER_COMPLETE": "complete_bash"})
        out, err = child.communicate(timeout=60)
        assert err == ""
        return out.split()

    spring = f"{tmp_path}/moves/spring/"
    assert completed("pl") == ["plan"]
    assert "--json" in completed("status", "--")
    assert completed("plan", "--stage", "c") == ["cutover"]
    assert completed("plan", f"{tmp_path}/m") == [f"{spring}a.yaml", f"{spring}b.yml"]
    (tmp_path / "more.yaml").touch()
    assert completed("plan", f"{tmp_path}/mo") == [f"{tmp_path}/more.yaml", f"{tmp_path}/moves/"]
    assert completed("plan", f"{tmp_path}/nothing/") == []
