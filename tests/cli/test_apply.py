import io
import json
import sys
import threading

import pytest

from reconciler.app import applying
from reconciler.app.move import types
from reconciler.engine.apply import apply
from reconciler.journal.open import open_journal
from reconciler.model.codec import digest_of
from reconciler.model.verdict import Status, Verdict
from tests.support.clock import FakeClock
from tests.support.files_world import write_spec, write_world


class Terminal(io.StringIO):
    """A keyboard with a person who has typed already."""

    def isatty(self):
        return True


@pytest.fixture
def answer(monkeypatch):
    """Let a person at a terminal type this line."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(f"{text}\n"))


def accounts(spec):
    return (spec.parent / "new" / "passwd").read_text()


def test_applying_does_what_the_plan_says_and_reads_it_again(run, spec):
    shown = run("apply", spec, "--yes")
    assert shown.code == 0
    assert "ann@example.org:{SHA512-CRYPT}" in accounts(spec)
    assert shown.out.startswith("example.org: plan to prepare")
    assert shown.out.endswith("6 written. Read again: nothing to do; the next stage is overlap\n")
    assert "[6/6] + alias abuse@example.org and 2 more (new server)\n" in shown.err


def test_the_whole_word_yes_is_needed(run, spec, answer):
    answer("y")
    shown = run("apply", spec)
    assert shown.code == 1
    assert "Apply 6 changes of example.org? Only 'yes' is accepted: " in shown.err
    assert shown.err.endswith("error: not confirmed; nothing was changed\n")
    assert accounts(spec) == ""
    answer("yes")
    assert run("apply", spec).code == 0
    assert accounts(spec) != ""


def test_without_a_terminal_nobody_can_be_asked(run, spec):
    shown = run("apply", spec)
    assert shown.code == 1
    assert "--yes" in shown.err
    assert accounts(spec) == ""


def test_applying_again_does_nothing_and_asks_nothing(run, spec):
    run("apply", spec, "--yes")
    shown = run("apply", spec)
    assert shown.code == 0
    assert shown.out.endswith("Nothing to do; the next stage is overlap\n")
    assert "run 2" not in run("history", spec).out


def test_what_waits_is_exit_code_3_with_its_time(run, spec):
    write_spec(spec, stage="cutover")
    shown = run("apply", spec, "--yes")
    assert shown.code == 3
    assert "9 written. Read again: 0 to run now, 1 waits until " in shown.out
    assert "\n  MX example.org: " in shown.out
    assert "mail.new.example" not in (spec.parent / "example.org.zone").read_text()
    assert run("apply", spec, "--yes").code == 3


def test_what_is_blocked_is_exit_code_4(run, spec):
    zone = spec.parent / "example.org.zone"
    zone.write_text(zone.read_text() + '@ IN TXT "v=spf1 -all"\n')
    write_spec(spec, stage="overlap")
    shown = run("apply", spec, "--yes")
    assert shown.code == 4
    assert shown.err.count("example.org.zone") == 0


def test_json_is_one_event_a_line(run, spec):
    shown = run("apply", spec, "--yes", "--json")
    assert shown.code == 0
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert [event["event"] for event in events] == ["plan", *["begun", "done"] * 3, "finished"]
    assert events[0]["plan"]["digest"]
    assert events[1]["steps"] == [{"number": 1, "address": "new/domain/example.org", "verb": "+"}]
    assert events[-1]["outcome"] == {"written": [1, 2, 3, 4, 5, 6], "already": [], "held": []}
    assert events[-1]["left"] == {"run": 0, "wait": 0, "by hand": 0, "blocked": 0, "next_time": None}
    assert events[-1]["exit_code"] == 0
    assert all(event["at"].endswith("Z") for event in events)


def test_json_says_what_is_held_and_until_when(run, spec):
    write_spec(spec, stage="cutover")
    events = [json.loads(line) for line in run("apply", spec, "--yes", "--json").out.splitlines()]
    [held] = [event for event in events if event["event"] == "held"]
    assert held["steps"][0]["address"] == "dns/rrset/example.org. MX"
    assert held["steps"][0]["verdict"]["status"] == "wait"
    assert events[-1]["left"]["wait"] == 1
    assert events[-1]["left"]["next_time"] is not None
    assert events[-1]["exit_code"] == 3


def test_a_failed_write_is_exit_code_1_and_an_event(run, spec):
    section = {
        "backend": "zonefile",
        "options": {"file": "example.org.zone", "reload": ["false"]},
    }
    write_spec(spec, stage="overlap", dns=section)
    shown = run("apply", spec, "--yes", "--json")
    assert shown.code == 1
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert events[-1]["event"] == "failed"
    assert "example.org.zone" in events[-1]["error"]
    assert "Traceback" not in shown.err
    assert "failed" in run("history", spec).out


def test_another_run_that_holds_the_lock_is_named(run, spec):
    clock = FakeClock()
    clock.advance(10**9)  # a lease that has not run out when the command looks
    with (
        open_journal(spec.with_name("migration.journal"), "example.org", types(), clock) as journal,
        journal.lock,
    ):
        shown = run("apply", spec, "--yes")
    assert shown.code == 1
    assert "error: example.org is being changed by another run: process " in shown.err
    assert accounts(spec) == ""


class TestASavedPlan:
    @pytest.fixture
    def saved(self, run, spec, tmp_path, monkeypatch):
        file = tmp_path / "plan.json"
        assert run("plan", spec, "--out", file).code == 2
        monkeypatch.chdir(spec.parent)
        return file

    def test_is_carried_out_without_a_question(self, run, spec, saved):
        assert run("apply", saved).code == 0
        assert "ann@example.org" in accounts(spec)

    def test_can_be_given_beside_its_spec(self, run, spec, saved, tmp_path):
        moved = tmp_path / "elsewhere"
        moved.mkdir()
        saved = saved.rename(moved / "plan.json")
        assert run("apply", spec, "--plan", saved).code == 0

    def test_that_was_altered_is_refused(self, run, spec, saved):
        saved.write_text(saved.read_text().replace("ann@example.org", "eve@example.org"))
        shown = run("apply", saved)
        assert shown.code == 1
        assert "digest does not fit its content" in shown.err
        assert accounts(spec) == ""

    def test_of_a_spec_that_changed_since_is_stale(self, run, spec, saved):
        write_spec(spec, catch_all="ann@example.org")
        shown = run("apply", saved)
        assert shown.code == 5
        assert "the spec was changed since" in shown.err
        assert accounts(spec) == ""

    def test_of_a_spec_with_another_comment_is_not_stale(self, run, spec, saved):
        spec.write_text(f"# reviewed\n{spec.read_text()}")
        assert run("apply", saved).code == 0

    def test_of_a_world_that_changed_since_is_stale_and_leaves_what_it_finds(self, run, spec, saved):
        aliases = spec.parent / "new" / "virtual"
        aliases.write_text("info@example.org somebody@example.net\n")
        shown = run("apply", saved)
        assert shown.code == 5
        assert "new/alias/info@example.org: before kind +alias, before targets +somebody@example.net" in shown.err
        assert aliases.read_text() == "info@example.org somebody@example.net\n"
        assert accounts(spec) == ""

    def test_that_was_forged_with_the_right_digest_does_nothing(self, run, spec, saved):
        plan = json.loads(saved.read_text())
        thief = {"kind": "alias", "place": "new", "name": "ceo@example.org", "targets": ["thief@evil.example"]}
        forged = {**plan["steps"][-1], "address": "new/alias/ceo@example.org", "after": thief}
        plan["steps"].append({**forged, "number": len(plan["steps"]) + 1, "verb": "+", "before": None})
        for step in plan["steps"]:
            if step["address"] == "new/mailbox/ann@example.org":
                step["after"]["password"] = "command: sh -c 'id >pwned'"
        saved.write_text(json.dumps({**plan, "digest": digest_of(plan)}))
        shown = run("apply", saved)
        assert shown.code == 5
        assert "new/alias/ceo@example.org would not be changed now" in shown.err
        assert "new/mailbox/ann@example.org: after password command: sh -c 'id >pwned' -> " in shown.err
        assert accounts(spec) == ""

    def test_of_another_spec_is_carried_out_only_if_somebody_names_that_spec(self, run, spec, saved, monkeypatch):
        monkeypatch.chdir(spec.parent.parent)
        shown = run("apply", saved)
        assert shown.code == 1
        assert f"{saved} is a plan of the spec {spec}" in shown.err
        assert f"reconciler apply {spec} --plan {saved}" in shown.err
        assert accounts(spec) == ""
        assert run("apply", spec, "--plan", saved).code == 0

    def test_can_be_approved_by_its_digest_from_any_folder(self, run, spec, saved, monkeypatch):
        monkeypatch.chdir(spec.parent.parent)
        digest = json.loads(saved.read_text())["digest"]
        assert run("apply", saved, "--expect", "0" * 64).code == 5
        assert accounts(spec) == ""
        assert run("apply", saved, "--expect", digest).code == 0

    def test_that_is_done_already_is_told_to_stand(self, run, spec, saved):
        assert run("apply", saved).code == 0
        shown = run("apply", saved)
        assert shown.code == 0
        assert "stands already, as the approved plan wants it" in shown.err

    def test_that_looked_ahead_is_refused(self, run, spec, tmp_path, monkeypatch):
        monkeypatch.chdir(spec.parent)
        ahead = tmp_path / "ahead.json"
        run("plan", spec, "--stage", "harden", "--out", ahead)
        shown = run("apply", ahead)
        assert shown.code == 1
        assert "leads to harden" in shown.err
        assert accounts(spec) == ""

    @pytest.mark.parametrize("content", ["", "{}", "[]", "not json", '{"format_version": "9.0"}'])
    def test_that_is_none_is_refused(self, run, tmp_path, content):
        file = tmp_path / "plan.json"
        file.write_text(content)
        shown = run("apply", file)
        assert shown.code == 1
        assert shown.err.startswith(f"error: {file}")

    def test_that_is_not_there_is_named(self, run, tmp_path):
        shown = run("apply", tmp_path / "none.json")
        assert shown.code == 1
        assert "none.json cannot be read" in shown.err

    def test_of_a_rollback_is_refused(self, run, spec, tmp_path):
        run("apply", spec, "--yes")
        data = run("rollback", spec, "--all", "--plan-only", "--json").out
        file = tmp_path / "back.json"
        file.write_text(data)
        shown = run("apply", spec, "--plan", file)
        assert shown.code == 1
        assert "carried out by `reconciler rollback` alone" in shown.err


def test_one_move_that_fails_does_not_keep_the_others_back(run, spec, tmp_path):
    (tmp_path / "other").mkdir()
    other = write_world(tmp_path / "other", dns={"backend": "zonefile", "options": {"file": "none.zone"}})
    shown = run("apply", other, spec, "--yes")
    assert shown.code == 1
    assert "none.zone" in shown.err
    assert "ann@example.org" in accounts(spec)


def test_a_change_that_does_not_last_is_exit_code_5(run, spec, monkeypatch):
    def undone(*arguments):
        outcome = apply(*arguments)
        (spec.parent / "new" / "virtual").write_text("")
        return outcome

    monkeypatch.setattr(applying, "apply", undone)
    shown = run("apply", spec, "--yes")
    assert shown.code == 5
    assert "what was written no longer stands" in shown.out


def test_a_plan_made_now_can_be_held_to_an_approved_digest(run, spec):
    digest = json.loads(run("plan", spec, "--json").out)["digest"]
    refused = run("apply", spec, "--expect", digest[::-1])
    assert refused.code == 5
    assert f"the plan has the digest {digest}" in refused.err
    assert accounts(spec) == ""
    assert run("apply", spec, "--expect", digest).code == 0
    assert accounts(spec) != ""


@pytest.fixture
def hesitant(monkeypatch):
    """A run that holds back all but its first step, as long as there are others."""

    def held(plan, hands, judge):
        first = plan.steps[0]
        waiting = Verdict(Status.WAIT, "comes after the first")

        def hesitating(stage):
            return {a: s if a == first.change.address else s.judged(waiting) for a, s in judge(stage).items()}

        return apply(plan, hands, hesitating)

    monkeypatch.setattr(applying, "apply", held)


def test_what_waited_only_for_the_changes_themselves_is_done_in_the_same_command(run, spec, hesitant):
    spec_text = spec.read_text()
    shown = run("apply", spec, "--yes")
    assert shown.code == 2  # there are more rounds to go than one command goes
    assert shown.out.count("1 written. Read again: ") == 5
    assert run("apply", spec, "--yes").code == 0
    assert spec.read_text() == spec_text


def test_a_saved_plan_is_followed_by_nothing_else(run, spec, tmp_path, hesitant, monkeypatch):
    monkeypatch.chdir(spec.parent)
    run("plan", spec, "--out", tmp_path / "plan.json")
    shown = run("apply", tmp_path / "plan.json")
    assert shown.code == 2
    assert shown.out.count("1 written. Read again: ") == 1


def test_a_run_outside_of_the_main_thread_needs_no_signals(run, spec):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run("apply", spec, "--yes").code))
    thread.start()
    thread.join()
    assert codes == [0]


def test_several_moves_are_summed_up_with_one_line_each(run, spec, tmp_path):
    (tmp_path / "other").mkdir()
    other = write_world(tmp_path / "other")
    missing = tmp_path / "missing.yaml"
    shown = run("apply", spec, other, missing, "--yes")
    assert shown.code == 1
    summary = [line.split() for line in shown.out.splitlines()[-4:]]
    assert summary == [
        ["3", "moves"],
        [str(spec), "done"],
        [str(other), "done"],
        [str(missing), "error,", "see", "above"],
    ]
    assert "missing.yaml: cannot be read" in shown.err


def test_a_saved_plan_is_known_by_what_it_says_and_not_only_by_its_name(run, spec, monkeypatch):
    monkeypatch.chdir(spec.parent)
    saved = spec.with_name("reviewed")
    run("plan", spec, "--out", saved)
    assert run("apply", saved).code == 0
    assert accounts(spec) != ""
