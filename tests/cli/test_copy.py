import csv
import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.app.clock import SystemClock
from reconciler.app.copying.asked import Asked
from reconciler.app.copying.ledger import last_passes, ledger_place, open_ledger
from reconciler.app.copying.one_pass import Pass
from reconciler.app.copying.orders import Jobs
from reconciler.app.copying.turns import open_turns
from reconciler.app.move import Move
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.batches import FEWEST as MOST_IN_A_BATCH
from reconciler.model.grade import Grade
from reconciler.model.last_pass import LastPass
from reconciler.transports.secrets import ReferencedSecrets
from tests.lab.dovecot import MASTER, Dovecot
from tests.lab.mailbox import expected, fill

pytestmark = pytest.mark.daemon

FOLDERS = ("INBOX", "Work", "Gesendete Objekte")
_NAMES = [f"person{number}@example.org" for number in range(1, 100)]
_next = count()


def _server(name: str, prefix: str, **options: Any) -> Iterator[Dovecot]:
    """With all its accounts from the start: Dovecot looks at its passwd-file once a second only."""
    server = Dovecot(name, **options)
    for address in _NAMES:
        server.add_user(address, f"{prefix}-{address}")
    yield server.start()
    server.remove()


@pytest.fixture(scope="session")
def old() -> Iterator[Dovecot]:
    yield from _server("cli-old", "oldpw", separator=".")


@pytest.fixture(scope="session")
def new() -> Iterator[Dovecot]:
    yield from _server("cli-new", "newpw")


@pytest.fixture
def people() -> list[str]:
    """Three addresses that no other test uses."""
    return [_NAMES[next(_next)] for _ in range(3)]


@pytest.fixture
def move(tmp_path: Path, old: Dovecot, new: Dovecot, people: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec: own passwords on the old server over loopback, a master user on the new one over TLS."""
    for address in people:
        monkeypatch.setenv(_variable(address), f"oldpw-{address}")
    monkeypatch.setenv("MASTER_PASSWORD", MASTER[1])
    spec = {
        "domain": "example.org",
        "old": {"backend": "memory", "mx": "10 mail.old.example"},
        "new": {"backend": "memory", "mx": "10 mail.new.example"},
        "dns": {"backend": "memory"},
        "copy": {
            "old": {"host": "127.0.0.1", "port": old.port, "tls": "none"},
            "new": {
                "host": "127.0.0.1",
                "port": new.tls_port,
                "ca_file": "ca.pem",
                "login": "master",
                "master_user": MASTER[0],
                "password": "env:MASTER_PASSWORD",
            },
        },
        "mailboxes": [{"address": address, "old_password": f"env:{_variable(address)}"} for address in people],
    }
    (tmp_path / "ca.pem").write_bytes((new.root / "cert.pem").read_bytes())
    path = tmp_path / "migration.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def _variable(address: str) -> str:
    return "OLD_" + re.sub(r"\W", "_", address).upper()


def change(path: Path, **sections: Any) -> None:
    """As a person edits the spec: keys of the section copy."""
    spec = yaml.safe_load(path.read_text())
    for key, value in sections.items():
        spec["copy"][key] = {**spec["copy"].get(key, {}), **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(spec, sort_keys=False))


def mail(server: Dovecot, people: list[str], number: int = 20) -> None:
    for seed, address in enumerate(people):
        fill(server, address, seed, number, ((), ("Work",), ("Größe & Maße",)))


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_the_second_copy_copies_nothing_and_the_judge_says_perfect(run, move, old, new, people):
    mail(old, people)
    first = run("copy", move)
    assert (first.code, first.err.count("done, ")) == (0, 3), first
    assert "mailboxes  3: 3 done" in first.out
    assert "messages   60 = " in first.out
    again = run("copy", move, "--verify", "--json")
    assert again.code == 0, again
    *told, summary = events(again.out)
    assert (summary["event"], summary["new"], summary["count"], summary["balanced"]) == ("summary", 0, 60, True)
    assert {each["grade"] for each in told if each["event"] == "mailbox"} <= {"Perfect", "Good"}
    for address in people:
        assert new.seen(address) == expected(old.seen(address))


def test_plain_mail_is_perfect(run, move, old, people):
    for address in people:
        _plain(old, address)
    shown = run("copy", move, "--verify")
    assert shown.code == 0, shown
    assert "proof      3 Perfect" in shown.out
    assert "messages   15 = 15 copied" in shown.out
    assert "this pass  15 sent" in shown.out


def _plain(server: Dovecot, address: str, first: int = 0, messages: int = 5) -> None:
    folder = server.maildir(address) / "cur"
    for part in ("cur", "new", "tmp"):
        (server.maildir(address) / part).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + messages):
        file = folder / f"{1_700_000_000 + number}.p{number}.host:2,S"
        file.write_bytes(b"Message-ID: <%d@plain>\nFrom: a@example.org\nSubject: n\n\ntext %d\n" % (number, number))
        os.utime(file, (1_700_000_000, 1_700_000_000))
    server.own(server.maildir(address).parent)


def test_a_look_shows_where_every_folder_goes_and_writes_nothing(run, move, old, new, people, monkeypatch):
    fill(old, people[0], 1, 20, ((), ("Work",), ("Gesendete Objekte",), ("Lists", "Old")))
    _plain(old, people[1])
    monkeypatch.setenv(_variable(people[2]), "not-the-password")
    new.doveadm("mailbox", "create", "-u", people[0], "Sent")
    change(move, folders={"Work": "Done/2026"}, exclude=["Lists"])
    standing = new.folders(people[0])
    shown = run("copy", move, "--dry-run")
    assert shown.code == 4
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    counts = {folder: sum(n for seen, n in old.seen(people[0]).items() if seen.folder == folder) for folder in FOLDERS}
    assert lines[0] == "folders, as they would be copied; nothing is written"
    assert f"Work -> Done/2026 the spec says so; {people[0]}, {counts['Work']} messages, made new" in lines
    sent = counts["Gesendete Objekte"]
    assert f"Gesendete Objekte -> Sent special use \\sent; {people[0]}, {sent} messages" in lines
    both = f"{people[0]}, {people[1]}, {counts['INBOX'] + 5} messages"
    assert f"INBOX -> INBOX INBOX is INBOX; {both}" in lines
    assert any(line.startswith("Lists/Old the spec excludes Lists; ") for line in lines[lines.index("not copied") :])
    assert any(line.startswith(f"auth lost {people[2]}: ") for line in lines)
    assert new.folders(people[0]) == standing
    assert not [path for path in move.parent.iterdir() if "ledger" in path.name]


def test_a_look_for_programs(run, move, old, people):
    _plain(old, people[0])
    shown = run("copy", move, people[0], "--dry-run", "--json")
    assert shown.code == 0, shown
    (told,) = events(shown.out)
    assert told == {
        "event": "folders",
        "mailbox": people[0],
        "state": "looked",
        "words": "",
        "folders": [{"folder": "INBOX", "into": "INBOX", "why": "INBOX is INBOX", "exists": True, "messages": 5}],
        "left_out": [],
        "refusals": [],
        "notes": [],
    }


def test_mailboxes_that_were_never_copied_are_measured_and_the_biggest_goes_first(run, move, old, people):
    for address, messages in zip(people, (2, 30, 10), strict=True):
        _plain(old, address, messages=messages)
    change(move, parallel=1, cutover="2099-01-01T00:00:00+01:00")
    shown = run("copy", move)
    assert shown.code == 0, shown
    told = shown.err.splitlines()
    assert told[0] == "measuring 3 mailboxes"
    biggest = f"{people[1]} .*, {people[2]} .*, {people[0]} "
    assert re.match(rf"\d.* k?B to copy; the biggest first: {biggest}", told[1]), told
    ended = [line.split()[1].rstrip(":") for line in told if line.startswith("[")]
    assert ended == [people[1], people[2], people[0]]
    again = run("copy", move)
    assert "measuring" not in again.err


def test_a_daily_limit_is_told_with_the_day_that_it_holds_the_cutover_up_to(run, move, old, people):
    for address, messages in zip(people, (2, 30, 5), strict=True):
        _plain(old, address, messages=messages)
    change(move, old={"daily_octets": 700}, cutover="2020-01-01T00:00:00Z")
    shown = run("copy", move)
    assert shown.code == 3, shown
    assert "mailboxes  3: 2 done, 1 daily limit" in shown.out
    (left,) = [line for line in shown.out.splitlines() if line.startswith("left")]
    limit = rf"{people[1]} needs until \d{{4}}-\d\d-\d\d 00:00 UTC at the provider's 700 B a day"
    assert re.search(rf"all of it in about .* \({limit}\), .* AFTER the planned cutover of 2020-01-01 00:00 UTC", left)


def test_programs_hear_how_it_looks_for_all_mailboxes(run, move, old, people):
    for address in people:
        _plain(old, address, messages=10)
    change(move, cutover="2099-01-01T00:00:00+01:00")
    told = [each for each in events(run("copy", move, "--json").out) if each["event"] == "forecast"]
    assert len(told) == 3
    assert told[-1]["octets"] == told[-1]["of_octets"] > 0
    assert told[-1]["cutover"] == "2098-12-31T23:00:00Z"
    assert told[-1]["seconds_before_cutover"] > 10**9


def test_a_wrong_password_is_that_mailbox_alone(run, move, old, new, people, monkeypatch):
    for address in people:
        _plain(old, address)
    monkeypatch.setenv(_variable(people[1]), "not-the-password")
    shown = run("copy", move)
    assert shown.code == 4
    assert "mailboxes  3: 2 done, 1 auth lost" in shown.out
    assert f"auth lost  {people[1]}: " in shown.out
    assert sum(new.seen(people[0]).values()) == sum(new.seen(people[2]).values()) == 5
    monkeypatch.setenv(_variable(people[1]), f"oldpw-{people[1]}")
    assert run("copy", move, people[1]).code == 0
    assert sum(new.seen(people[1]).values()) == 5


def test_a_password_that_the_spec_lacks_is_told_with_what_to_do(run, move, old, people):
    for address in people:
        _plain(old, address)
    spec = yaml.safe_load(move.read_text())
    del spec["mailboxes"][0]["old_password"]
    move.write_text(yaml.safe_dump(spec, sort_keys=False))
    shown = run("copy", move)
    assert shown.code == 4
    assert f"the password of {people[0]} on the old server is not known: give the mailbox an old_password" in shown.out


def test_no_secret_is_shown_or_kept(run, move, old, people, monkeypatch):
    for address in people:
        _plain(old, address)
    monkeypatch.setenv(_variable(people[2]), "s3cret-but-wrong")
    folder = move.parent
    said = [run("copy", move, "--report", folder / "r.json", "--log-dir", folder / "logs", "--verify")]
    said.append(run("copy", move, "--json", "--report", folder / "r.csv"))
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    everything = kept + "".join(shown.out + shown.err for shown in said).encode()
    for secret in (MASTER[1], "s3cret-but-wrong", *(f"oldpw-{address}" for address in people)):
        assert secret.encode() not in everything
    assert people[2].encode() in everything


def test_what_is_refused_is_listed_with_the_reason_in_every_pass_and_can_be_tried_again_alone(run, move, old, people):
    address = people[0]
    _plain(old, address)
    empty = old.maildir(address) / "cur" / "1700000900.empty.host:2,"
    empty.touch()
    old.own(empty.parent)
    why = f"refused  {address}: INBOX, UID 6: the message has no octets"
    report, logs = move.with_name("report.json"), move.with_name("logs")
    for _ in range(2):
        shown = run("copy", move, address, "--report", report, "--log-dir", logs)
        assert (shown.code, why in shown.out) == (4, True), shown
        (refusal,) = json.loads(report.read_text())["outcomes"][0]["refusals"]
        assert (refusal["folder"], refusal["uid"]) == ("INBOX", 6)
    assert (logs / f"{address}.log").read_text().count("refused: INBOX, UID 6: the message has no octets") == 2
    summary = events(run("copy", move, address, "--retry-refused", "--json").out)[-1]
    assert (summary["new"], summary["refused"], summary["copied"]) == (0, 1, 5)
    old.doveadm("expunge", "-u", address, "mailbox", "INBOX", "uid", "6")
    shown = run("copy", move, address)
    assert (shown.code, "refused" in shown.out) == (0, False), shown


def test_the_ledger_is_its_owners_alone(run, move, old, people):
    _plain(old, people[0])
    run("copy", move, people[0])
    made = sorted(path for path in move.parent.iterdir() if path.name.startswith("migration.ledger"))
    assert move.with_name("migration.ledger") in made
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}


def test_the_report_has_a_line_for_each_mailbox_and_each_has_its_log(run, move, old, people):
    for address in people:
        _plain(old, address)
    folder = move.parent
    run("copy", move, "--report", folder / "copy.csv", "--log-dir", folder / "logs")
    rows = list(csv.DictReader((folder / "copy.csv").read_text().splitlines()))
    assert {(row["mailbox"], row["state"], row["copied"]) for row in rows} == {(a, "done", "5") for a in people}
    assert "INBOX -> INBOX: 5 = 5 copied; 5 sent" in (folder / "logs" / f"{people[0]}.log").read_text()
    run("copy", move, "--report", folder / "copy.json")
    data = json.loads((folder / "copy.json").read_text())
    assert (data["copied"], data["new"], data["balanced"]) == (15, 0, True)
    assert run("copy", move, "--report", folder / "copy.txt").code == 1


def test_folders_go_where_the_spec_says(run, move, old, new, people):
    fill(old, people[0], 1, 12, ((), ("Gesendet",), ("Lists",)))
    change(move, folders={"Gesendet": "Outgoing/2026"}, exclude=["Lists"])
    shown = run("copy", move, people[0], "--json", "--log-dir", move.with_name("logs"))
    assert shown.code == 0, shown
    told = events(shown.out)[-2]
    folders = {each["folder"]: (each["into"], each["rule"]) for each in told["folders"]}
    assert (folders["Gesendet"], folders["Lists"]) == (("Outgoing/2026", ""), ("", "the spec excludes Lists"))
    assert (told["refusals"], told["excluded"] > 0) == ([], True)
    log = move.with_name("logs") / f"{people[0]}.log"
    assert "Lists not copied, the spec excludes Lists: " in log.read_text()
    assert new.folders(people[0]) == {"INBOX", "Outgoing/2026", "Outgoing"}


def test_back_brings_what_came_to_the_new_server(run, move, old, new, people):
    address = people[0]
    _plain(old, address)
    assert run("copy", move, address).code == 0
    _plain(new, f"{address}", first=100)
    change(move, old={"login": "master", "master_user": MASTER[0], "password": "env:MASTER_PASSWORD"})
    shown = run("copy", move, address, "--back")
    assert shown.code == 0, shown
    assert "the journal knows of no cutover" in shown.err
    assert "messages   10 = 10 copied" in shown.out
    assert "this pass  5 sent (350 B), 5 stood there already" in shown.out
    assert sum(old.seen(address).values()) == 10
    assert {replace(seen, flags=frozenset()) for seen in old.seen(address)} == {
        replace(seen, flags=frozenset()) for seen in new.seen(address)
    }


def test_a_mailbox_that_another_run_has_is_left_to_it_and_the_others_are_copied(run, move, old, new, people):
    mail(old, people)
    with open_turns(Move.load(move, SystemClock())) as turns:
        turns.take(people[:1])
        shown = run("copy", move)
        assert shown.code == 3, shown
        assert f"{people[0]}: held by another run" in shown.err
        assert f"process {os.getpid()} on " in shown.err
        assert "2 done, 1 held by another run" in shown.out
        assert sum(new.seen(people[0]).values()) == 0
    assert new.seen(people[1]) == expected(old.seen(people[1]))
    assert run("copy", move).code == 0
    assert new.seen(people[0]) == expected(old.seen(people[0]))


def test_apply_stops_a_running_copy_of_a_mailbox_after_its_batch_and_copies_it_itself(
    process, run, move, old, new, people
):
    for address in people:
        _plain(old, address, messages=3 * MOST_IN_A_BATCH)
    change(move, old={"octets_per_second": 20_000}, parallel=2)
    secrets = {_variable(address): f"oldpw-{address}" for address in people} | {"MASTER_PASSWORD": MASTER[1]}
    child = process("copy", move, "--json", environment=secrets)
    told: list[dict[str, Any]] = []
    while not any(each["state"] == "copying" for each in told):
        told += events(child.stdout.readline())
    change(move, old={"octets_per_second": None})
    move.write_text(re.sub(r"(  old_password: (env:\w+))", r"\1\n  password: \2", move.read_text()))
    shown = run("apply", move, "--yes")
    assert "it was asked to give the mailbox back after its batch" in shown.err
    assert f"process {child.pid} on " in shown.err
    out, err = child.communicate(timeout=60)
    assert child.returncode == 3, err
    *mailboxes, summary = [*events(out)]
    ended = {each["mailbox"]: each for each in mailboxes if each["event"] == "mailbox"}
    assert (summary["stopped"], set(ended)) == (False, set(people))
    states = {each["state"] for each in ended.values()}
    assert "given back" in states <= {"given back", "held by another run"}
    given = [each["words"] for each in ended.values() if each["state"] == "given back"]
    assert all(words.startswith("apply of example.org needs the mailbox; it is given back") for words in given)
    for address in people:
        assert new.seen(address) == old.seen(address)


def test_a_ca_file_without_certificates_is_named_before_anything_is_sent(run, move, old, new, people):
    change(move, new={"ca_file": "migration.yaml"})
    shown = run("copy", move)
    assert shown.code == 1
    assert "copy.new.ca_file" in shown.err
    assert "holds no certificates to trust" in shown.err


def test_an_address_that_is_no_mailbox_is_an_error(run, move, people):
    shown = run("copy", move, people[0].replace("person", "persn"))
    assert shown.code == 1
    assert "no mailbox of the spec is called" in shown.err
    assert people[0] in shown.err


def test_a_spec_without_the_section_is_told_what_to_add(run, spec):
    shown = run("copy", spec, "--log-dir", spec.with_name("logs"))
    assert shown.code == 1
    assert "has no section copy" in shown.err
    assert not spec.with_name("migration.ledger").exists()
    assert not spec.with_name("logs").exists()


def test_ctrl_c_stops_between_two_batches_and_the_next_copy_goes_on(process, run, move, old, new, people):
    for address in people:
        _plain(old, address, messages=3 * MOST_IN_A_BATCH)
    change(move, old={"octets_per_second": 20_000}, parallel=2)
    secrets = {_variable(address): f"oldpw-{address}" for address in people} | {"MASTER_PASSWORD": MASTER[1]}
    child = process("copy", move, "--json", environment=secrets)
    told: list[dict[str, Any]] = []
    while not any(each["state"] == "copying" for each in told):
        told += events(child.stdout.readline())
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1, err
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    *mailboxes, summary = [*events(out)]
    ended = {each["mailbox"]: each["state"] for each in mailboxes if each["event"] == "mailbox"}
    assert (summary["stopped"], set(ended)) == (True, set(people))
    assert "stopped" in ended.values()
    words = [each["words"] for each in mailboxes if each["event"] == "mailbox" and each["state"] == "stopped"]
    assert all(not said or said.endswith(" of this pass stand there") for said in words)
    assert any(words)
    assert sum(sum(new.seen(address).values()) for address in people) < 9 * MOST_IN_A_BATCH
    change(move, old={"octets_per_second": None})
    assert run("copy", move).code == 0
    for address in people:
        assert new.seen(address) == old.seen(address)


def test_the_cutover_knows_what_was_copied_and_compared(run, move, old, people):
    for address in people:
        _plain(old, address)
    text = move.read_text()
    passes = last_passes(move)
    assert passes == {}
    assert not move.with_name("migration.ledger").exists()
    move.write_text(f"stage: cutover\n{text}")
    planned = run("plan", move, "--verbose").out
    assert [planned.count(step) for step in ("first copy from the old server", "then compare both sides")] == [3, 3]
    assert run("copy", move).code == 0
    planned = run("plan", move, "--verbose").out
    assert [planned.count(step) for step in ("first copy from the old server", "then compare both sides")] == [0, 3]
    assert run("copy", move, "--verify").code == 0
    assert {each.grade for each in last_passes(move).values()} == {Grade.PERFECT}
    planned = run("plan", move, "--verbose").out
    assert "then compare both sides" not in planned
    assert "3 mailboxes copied, and compared with the old server's\n" in planned


def test_what_comes_between_the_copy_and_the_comparison_is_no_lost_mail(move, old, people):
    for address in people:
        _plain(old, address)
    late = iter(people)

    def note(_key, last: LastPass) -> None:
        address = next(late, None)
        if last.grade is None and address:
            _plain(old, address, first=900, messages=1)

    with open_ledger(ledger_place(move), SystemClock()) as ledger:
        spec = Move.load(move, SystemClock()).spec
        assert spec.mail_copy is not None
        jobs = Jobs(spec, spec.mail_copy, move.parent, ReferencedSecrets(move.parent))
        copies = jobs.of(Asked(people[:1]), date(2026, 3, 2), ledger)
        one = Pass(copies, 1, Means(ledger, SystemClock()), lambda: False, note)
        (outcome,) = one.outcomes(verify=True)
    assert (outcome.grade, outcome.tally.count, outcome.tally.copied, outcome.tally.new) == (Grade.GOOD, 5, 5, 5)
    assert [each.explained for each in outcome.differences] == ["it came after the last pass over its folder"]
