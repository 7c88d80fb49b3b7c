import json

import pytest

from reconciler.app.move import types
from reconciler.model.codec import decode_plan
from reconciler.model.stage import Stage
from tests.support.files_world import write_spec, write_world

MISSING = {"backend": "zonefile", "options": {"file": "not-there.zone"}}
IN_MEMORY = {"backend": "memory", "options": {}}


def test_changes_that_can_run_are_exit_code_2(run, spec):
    shown = run("plan", spec)
    assert shown.code == 2
    assert '    2 + mailbox ann@example.org       "Ann", password: the old server\'s hash' in shown.out
    assert shown.out.endswith(f"6 to run now, 0 wait, 0 blocked. Next: reconciler apply {spec}\n")
    assert shown.err == ""


def test_nothing_to_do_is_exit_code_0(run, spec):
    assert run("apply", spec, "--yes").code == 0
    shown = run("plan", spec)
    assert shown.code == 0
    assert shown.out.endswith("Nothing to do; the next stage is overlap\n")


def test_only_waiting_is_exit_code_3(run, spec):
    write_spec(spec, stage="overlap")
    assert run("apply", spec, "--yes").code == 0
    shown = run("plan", spec, "--stage", "cutover")
    assert shown.code == 3
    assert "0 to run now, 1 waits until " in shown.out
    assert "Next: apply again after " in shown.out


def test_blocked_is_exit_code_4(run, spec):
    zone = spec.parent / "example.org.zone"
    zone.write_text(zone.read_text() + '@ IN TXT "v=spf1 -all"\n')
    assert run("apply", spec, "--yes").code == 0
    write_spec(spec, stage="overlap")
    for _ in range(2):
        run("apply", spec, "--yes")
    shown = run("plan", spec)
    assert shown.code == 4
    assert "blocked: " in shown.out
    assert "Next: resolve what fails above, then plan again" in shown.out


def test_something_that_cannot_be_read_is_exit_code_1_and_names_the_file(run, spec):
    write_spec(spec, dns=MISSING)
    shown = run("plan", spec)
    assert shown.code == 1
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert "not-there.zone" in shown.err


def test_a_bad_spec_is_exit_code_1_with_every_problem_on_its_line(run, spec):
    write_spec(spec, stage="cutlery", catch_all="nobody")
    shown = run("plan", spec)
    assert shown.code == 1
    assert all(line.startswith(f"error: {spec}:") for line in shown.err.splitlines())
    assert len(shown.err.splitlines()) == 2


def test_planning_writes_nothing(run, spec, tmp_path):
    def contents():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = contents()
    for form in ("text", "markdown", "json", "html"):
        run("plan", spec, "--format", form, "--stage", "harden")
    assert contents() == before


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", "example.org: plan to prepare"),
        ("markdown", "<!-- reconciler plan example.org -->\n"),
        ("json", '{\n  "format_version"'),
        ("html", "<!DOCTYPE html>\n"),
    ],
)
def test_each_format_is_the_whole_of_standard_output(run, spec, form, start):
    shown = run("plan", spec, "--format", form)
    assert shown.code == 2
    assert shown.out.startswith(start)
    assert shown.err == ""


def test_json_is_the_plan_as_it_would_be_saved(run, spec):
    plan = decode_plan(json.loads(run("plan", spec, "--json").out), types())
    assert plan.stage is Stage.PREPARE
    assert len(plan.steps) == 6


def test_a_saved_plan_names_its_spec_relative_to_itself(run, spec, tmp_path):
    out = tmp_path / "plans" / "plan.json"
    out.parent.mkdir()
    shown = run("plan", spec, "--out", out)
    assert shown.code == 2
    assert json.loads(out.read_text())["spec"] == "../migration.yaml"
    digest = json.loads(out.read_text())["digest"]
    assert shown.err == f"saved; to do nothing beyond this plan: reconciler apply {out}; its digest: {digest}\n"


def test_a_plan_that_cannot_be_saved_is_an_error(run, spec, tmp_path):
    shown = run("plan", spec, "--out", tmp_path / "not" / "there.json")
    assert shown.code == 1
    assert "there.json could not be written" in shown.err


def test_looking_ahead_shows_every_stage_on_the_way(run, spec):
    shown = run("plan", spec, "--stage", "cutover")
    headings = [line for line in shown.out.splitlines() if line in {stage.label for stage in Stage}]
    assert headings == ["prepare", "overlap", "cutover"]


def test_verbose_shows_what_the_checks_have_seen(run, spec):
    assert "No forwarding loop" not in run("plan", spec).out
    assert "holds  prepare: No forwarding loop: " in run("plan", spec, "--verbose").out


class TestSeveralSpecs:
    @pytest.fixture
    def other(self, tmp_path):
        (tmp_path / "other").mkdir()
        return write_world(tmp_path / "other")

    def test_are_summed_up_with_one_line_each(self, run, spec, other):
        shown = run("plan", spec, other)
        assert shown.code == 2
        summary = shown.out.splitlines()[-3:]
        assert summary[0] == "2 moves"
        assert summary[1].split()[:3] == [str(spec), "to", "prepare:"]
        assert summary[2].split()[:3] == [str(other), "to", "prepare:"]

    def test_the_worst_exit_code_counts_and_the_good_ones_are_shown(self, run, spec, other):
        write_spec(other, dns=MISSING)
        shown = run("plan", spec, other)
        assert shown.code == 1
        assert "6 to run now" in shown.out
        assert f"{other}  error, see above" in shown.out
        assert "not-there.zone" in shown.err

    def test_json_is_a_list_with_the_errors_in_it(self, run, spec, other):
        write_spec(other, dns=MISSING)
        first, second = json.loads(run("plan", "--json", spec, other).out)
        assert (first["spec"], first["exit_code"], first["error"]) == (str(spec), 2, None)
        assert decode_plan(first["plan"], types()).domain == "example.org"
        assert (second["spec"], second["exit_code"], second["plan"]) == (str(other), 1, None)
        assert "not-there.zone" in second["error"]


def test_servers_in_memory_can_be_planned_for(run, tmp_path):
    path = tmp_path / "rehearsal.yaml"
    write_spec(
        path,
        old={"backend": "memory", "mx": ["10 mx.old.example"]},
        new={"backend": "memory", "mx": ["10 mx.new.example"], "options": {"holds": ["domain", "mailbox", "alias"]}},
        dns=IN_MEMORY,
        mailboxes=[{"address": "ann@example.org", "password": "generate", "quota": "1 GiB"}],
        generated_passwords="passwords.csv",
        aliases={},
    )
    shown = run("plan", path)
    assert "quota ann@example.org" in shown.out
    assert "[by hand on a server in memory]" in shown.out


def _colored(process, *arguments, **environment):
    out, _ = process(*arguments, environment=environment).communicate(timeout=60)
    return "\x1b[" in out


def test_colour_is_for_terminals_and_for_those_who_force_it(process, spec):
    assert not _colored(process, "plan", spec)
    assert _colored(process, "plan", spec, FORCE_COLOR="1")
    assert not _colored(process, "plan", spec, FORCE_COLOR="1", NO_COLOR="1")
    assert not _colored(process, "plan", "--no-color", spec, FORCE_COLOR="1")
