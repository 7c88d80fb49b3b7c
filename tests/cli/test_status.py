import json
from contextlib import closing

from reconciler.app.clock import SystemClock
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from tests.support.files_world import write_spec


def test_before_anything_is_done_it_names_the_first_thing(run, spec):
    shown = run("status", spec)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[1] == "stage    prepare; the spec goes to prepare"
    assert "users    1 of 2 have moved" in lines
    assert "         not yet ann@example.org" in lines
    assert "run      none yet" in lines
    assert lines[-1] == f"next     6 changes (prepare) now: reconciler apply {spec}"
    assert not spec.with_name("migration.journal").exists()


def test_when_the_stage_is_complete_it_looks_at_the_next_one(run, spec):
    run("apply", spec, "--yes")
    last = run("status", spec).out.splitlines()[-1]
    assert last == f"next     overlap: set it as the stage in {spec}; 3 changes (overlap) can run at once"


def test_it_says_what_comes_next_not_before_when_and_why(run, spec):
    write_spec(spec, stage="overlap")
    run("apply", spec, "--yes")
    shown = run("status", spec).out
    assert "stage    overlap; the spec goes to overlap" in shown
    last = shown.splitlines()[-1]
    assert last.startswith("next     cutover: MX example.org (10 mail.old.example -> 10 mail.new.example), not before ")
    assert ", because " in last
    assert "TTL of 24 h (86400 s)" in last
    clocks = [line for line in shown.splitlines() if line.startswith("caches   MX example.org: served by all since ")]
    assert len(clocks) == 1
    assert "caches may hold what stood before until " in clocks[0]


def test_who_has_switched_the_forward_off_is_told(run, spec):
    write_spec(spec, stage="overlap")
    run("apply", spec, "--yes")
    [script] = (spec.parent / "new").rglob("roundcube.sieve")
    script.write_bytes(script.read_bytes().replace(b"if true", b"if false"))
    shown = run("status", spec)
    assert "not yet ann@example.org: has switched the forward off, so set moved: true" in shown.out
    assert json.loads(run("status", spec, "--json").out)["switched_off"] == ["ann@example.org"]


def test_where_the_mail_is_copied_it_tells_how_far(run, spec):
    write_spec(spec, copy={"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}})
    assert "mail     0 of 2 mailboxes copied, 0 complete and compared" in run("status", spec).out.splitlines()
    with closing(SqlLedger(f"sqlite:///{spec.with_suffix('.ledger')}", SystemClock())) as ledger:
        now = SystemClock().now()
        ledger.passed(CopyKey("ann@example.org", "old", "new"), LastPass(now, now, Grade.PERFECT))
    assert "mail     1 of 2 mailboxes copied, 1 complete and compared" in run("status", spec).out.splitlines()
    mail = json.loads(run("status", spec, "--json").out)["mail"]
    assert mail == {"mailboxes": 2, "copied": 1, "complete": 1, "quiet": 0}


def test_what_is_blocked_is_what_comes_next(run, spec):
    zone = spec.parent / "example.org.zone"
    zone.write_text(zone.read_text() + '@ IN TXT "v=spf1 -all"\n')
    write_spec(spec, stage="overlap")
    run("apply", spec, "--yes")
    assert "SPF is one record" in run("status", spec).out.splitlines()[-1]


def test_json_has_all_of_it(run, spec):
    write_spec(spec, stage="overlap")
    run("apply", spec, "--yes")
    data = json.loads(run("status", spec, "--json").out)
    assert data["domain"] == "example.org"
    assert (data["stage"], data["spec_stage"], data["steps_left"]) == ("overlap", "overlap", 0)
    assert data["not_moved"] == ["ann@example.org"]
    assert data["locked"] is False
    assert data["last_run"] == {"number": 1, "outcome": "done", "done": 9}
    assert {clock["name"] for clock in data["caches"]} == {"example.org. MX", "example.org. TXT"}
    assert all(clock["lagging"] == [] and clock["clear_at"].endswith("Z") for clock in data["caches"])


def test_it_writes_nothing(run, spec, tmp_path):
    run("apply", spec, "--yes")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    run("status", spec)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
