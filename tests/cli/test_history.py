import json

from tests.support.files_world import write_spec


def test_before_the_first_run_there_is_none(run, spec):
    shown = run("history", spec)
    assert (shown.code, shown.out) == (0, "example.org: no run yet\n")
    assert run("history", spec, "--json").out == "[]\n"


def test_each_run_has_its_line(run, spec):
    run("apply", spec, "--yes")
    run("rollback", spec, "--all", "--yes")
    first, second = run("history", spec).out.splitlines()
    assert first.startswith("run 1  ")
    assert ": done (6 done) on " in first
    assert "  apply to prepare" in first
    assert second.startswith("run 2  ")
    assert "rollback to prepare" in second


def test_the_steps_of_a_run_are_told_in_words(run, spec):
    write_spec(spec, stage="overlap")
    run("apply", spec, "--yes")
    shown = run("history", spec, "--run", 1)
    assert "~ dns: MX example.org  TTL 86400 -> 300  done" in shown.out
    assert "+ new: mailbox ann@example.org" in shown.out


def test_json_has_runs_and_steps(run, spec):
    run("apply", spec, "--yes")
    [only] = json.loads(run("history", spec, "--json").out)
    assert (only["number"], only["intent"], only["stage"], only["outcome"], only["done"]) == (
        1,
        "apply",
        "prepare",
        "done",
        6,
    )
    whole = json.loads(run("history", spec, "--run", 1, "--json").out)
    assert [step["number"] for step in whole["steps"]] == [1, 2, 3, 4, 5, 6]
    assert whole["steps"][1]["address"] == "new/mailbox/ann@example.org"
    assert whole["steps"][1]["before"] is None
    assert whole["steps"][1]["state"] == "done"


def test_a_run_that_never_was_is_an_error(run, spec):
    shown = run("history", spec, "--run", 3)
    assert shown.code == 1
    assert shown.err.startswith("error: there is no run 3 of example.org")


def test_no_server_is_contacted(run, spec):
    run("apply", spec, "--yes")
    (spec.parent / "example.org.zone").unlink()
    assert run("history", spec).code == 0


def test_a_damaged_journal_is_named_and_left_alone(run, spec):
    journal = spec.with_name("migration.journal")
    journal.write_bytes(b"this is no database" * 100)
    shown = run("history", spec)
    assert shown.code == 1
    assert str(journal) in shown.err
    assert journal.read_bytes() == b"this is no database" * 100
