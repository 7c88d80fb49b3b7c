import logging
import re
import stat
from pathlib import Path

import pytest

from reconciler.cli.logs import kept
from tests.support.files_world import HASH, write_world

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) reconciler\.[\w.]+: .+")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_world(tmp_path)


def test_a_run_is_logged_step_by_step_into_a_file_that_its_owner_alone_can_read(run, spec, tmp_path):
    file = tmp_path / "run.log"
    shown = run("--log-file", file, "apply", spec, "--yes")
    assert shown.code == 0
    lines = file.read_text().splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    steps = [line for line in lines if " INFO reconciler.engine.apply: step " in line]
    assert len(steps) == 6
    assert steps[1].endswith("step 2: + new/mailbox/ann@example.org")
    assert [line.partition("Z ")[2] for line in lines].count("INFO reconciler.engine.apply: run 1: done") == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "reconciler.engine" not in shown.err


def test_the_file_is_added_to(run, spec, tmp_path):
    file = tmp_path / "run.log"
    run("--log-file", file, "plan", spec)
    first = file.read_text()
    run("--log-file", file, "plan", spec)
    assert file.read_text().startswith(first)
    assert len(file.read_text()) > len(first) > 0


def test_debug_shows_more_on_standard_error_and_the_result_stays_alone_on_standard_output(run, spec):
    plain, told = run("plan", spec), run("--log-level", "debug", "plan", spec)
    assert (plain.err, told.out) == ("", plain.out)
    assert any(LINE.fullmatch(line) for line in told.err.splitlines())


def test_no_secret_is_in_the_log_even_at_debug(run, spec, tmp_path, monkeypatch):
    monkeypatch.setenv("ANN_PASSWORD", "correct horse battery staple")
    spec.write_text(spec.read_text().replace("name: Ann\n", "name: Ann\n  password: env:ANN_PASSWORD\n"))
    file = tmp_path / "run.log"
    assert run("--log-level", "debug", "--log-file", file, "apply", spec, "--yes").code == 0
    made = (tmp_path / "new" / "passwd").read_text()
    assert "ann@example.org:{BLF-CRYPT}" in made
    secrets = ["correct horse", HASH, *re.findall(r"\{BLF-CRYPT\}[^:]+", made)]
    for key in (tmp_path / "new").rglob("*.private"):
        secrets += [line for line in key.read_text().splitlines() if "-----" not in line]
    assert [secret for secret in secrets if secret in file.read_text()] == []


def test_what_somebody_else_says_stays_within_its_line(run, spec, tmp_path):
    file = tmp_path / "run.log"
    with kept("info", file):
        logging.getLogger("reconciler.test").info("said %s", "yes\n2026-01-01 ERROR forged\x1b[2J")
    (line,) = file.read_text().splitlines()
    assert line.endswith("said yes\\n2026-01-01 ERROR forged\\x1b[2J")


def test_the_words_of_a_library_that_nobody_listens_to_are_as_harmless_on_standard_error(capsys, tmp_path):
    library = logging.getLogger("somebody.else")
    library.propagate = False  # as without the handlers of the test runner
    with kept(None, None):
        library.warning("server said \x1b[2J\nforged")
    assert capsys.readouterr().err == "server said \\x1b[2J\\nforged\n"


def test_a_wrong_level_and_a_file_that_cannot_be_written_are_errors_before_anything_is_done(run, spec, tmp_path):
    wrong = run("--log-level", "loud", "apply", spec, "--yes")
    assert wrong.code == 1
    assert "'loud' is not a level; the levels are debug, info, warning, error" in " ".join(
        wrong.err.replace("│", " ").split()
    )
    nowhere = run("--log-file", tmp_path / "none" / "run.log", "apply", spec, "--yes")
    assert nowhere.code == 1
    assert "run.log: no such file or directory" in nowhere.err
    assert "run 1" not in run("history", spec).out


def test_the_environment_can_say_so_too_and_nothing_is_left_in_the_process(run, spec, tmp_path, monkeypatch):
    logger = logging.getLogger("reconciler")
    before = logger.level, logger.handlers[:]
    monkeypatch.setenv("RECONCILER_LOG_FILE", str(tmp_path / "env.log"))
    monkeypatch.setenv("RECONCILER_LOG_LEVEL", "debug")
    run("plan", spec)
    assert " INFO reconciler.app.session: example.org was read: " in (tmp_path / "env.log").read_text()
    assert (logger.level, logger.handlers[:]) == before
