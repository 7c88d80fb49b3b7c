import os
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.login import MasterUser, Proxied
from reconciler.mailcopy.job import MailboxReport, Means, Patience, Progress, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.limits import Limits
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.mailcopy.verify import verify_mailbox
from reconciler.model.grade import Kind
from reconciler.model.secret import Secret
from tests.lab.dovecot import MASTER, Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill, write
from tests.support.clock import FakeClock
from tests.support.listening import on_progress

pytestmark = pytest.mark.daemon

INTO = {"Sent Items": "Sent"}
PLAIN = ((), ("Work",))

QUOTA = """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=%s
}
"""


def run(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, rules: Rules | None = None, **means) -> MailboxReport:
    copy = copying(endpoint(old, user), endpoint(new, user), rules)
    return copy_mailbox(copy, Means(ledger, RealClock(), **means))


def add(
    server: Dovecot, user: str, folder: str, content: bytes, flags: str = "", received: int = 1_700_000_000
) -> Path:
    directory = server.maildir(user) / (f".{folder}" if folder else "") / "cur"
    name = f"{random.randrange(10**9, 10**10)}.added.host:2,{flags}"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(content)
    os.utime(directory / name, (received, received))
    server.own(server.maildir(user).parent)
    return directory / name


@pytest.mark.parametrize("seed", range(4))
def test_a_random_mailbox_is_the_same_on_both_sides(
    seed: int, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, seed, 250)
    report = run(old, new, user, ledger)
    assert (report.state, report.words) == (State.DONE, "")
    assert report.tally.balanced
    assert report.tally.copied == 250
    assert new.seen(user) == expected(old.seen(user), INTO)
    assert {"empty", "Work/Größe & Maße"} <= new.folders(user)
    assert "Pwned" not in " ".join(new.folders(user))


def test_subscriptions_come_along(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 1, 20)
    run(old, new, user, ledger)
    there = set(new.doveadm("mailbox", "list", "-s", "-u", user).splitlines())
    here = old.doveadm("mailbox", "list", "-s", "-u", user).splitlines()
    translated = {INTO.get(name.replace(".", "/"), name.replace(".", "/")) for name in here}
    assert translated
    assert translated <= there


def test_the_source_is_left_as_it_was(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 2, 60, PLAIN)
    before = old.seen(user)
    run(old, new, user, ledger)
    assert old.seen(user) == before


def test_a_second_pass_has_nothing_to_do(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 3, 80)
    first = run(old, new, user, ledger)
    there = new.seen(user)
    again = run(old, new, user, ledger)
    assert again.state is State.DONE
    assert (again.tally.new, again.tally.copied) == (0, first.tally.copied)
    assert again.tally.balanced
    assert new.seen(user) == there


def test_new_mail_and_changed_flags_follow_and_expunged_mail_stays(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 4, 60, PLAIN)
    run(old, new, user, ledger)
    add(old, user, "Work", b"Message-ID: <late@x>\n\nlate\n", "S")
    old.doveadm("flags", "add", "-u", user, "\\Flagged own-label", "mailbox", "INBOX", "1:5")
    old.doveadm("flags", "remove", "-u", user, "\\Seen", "mailbox", "INBOX", "6:9")
    gone = old.doveadm("-f", "tab", "fetch", "-u", user, "guid", "mailbox", "INBOX", "20").splitlines()[1]
    old.doveadm("expunge", "-u", user, "mailbox", "INBOX", "guid", gone)
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.new, report.tally.balanced) == (State.DONE, 1, True)
    missing, extra = expected(old.seen(user)) - new.seen(user), new.seen(user) - expected(old.seen(user))
    assert not missing
    assert sum(extra.values()) == 1


def test_a_mark_of_deletion_comes_with_a_message_and_never_later(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nmarked\n", "ST")
    add(old, user, "", b"Message-ID: <2@x>\n\nmarked later\n", "S")
    run(old, new, user, ledger)
    old.doveadm("flags", "add", "-u", user, "\\Deleted", "mailbox", "INBOX", "ALL")
    run(old, new, user, ledger)
    assert sorted("\\Deleted" in seen.flags for seen in new.seen(user)) == [False, True]


def test_flags_no_longer_follow_a_user_who_has_moved(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nbody\n")
    run(old, new, user, ledger)
    old.doveadm("flags", "add", "-u", user, "\\Flagged", "mailbox", "INBOX", "ALL")
    add(old, user, "", b"Message-ID: <2@x>\n\nstraggler\n", "F")
    new.doveadm("flags", "replace", "-u", user, "\\Answered own-label", "mailbox", "INBOX", "ALL")
    report = run(old, new, user, ledger, Rules(follow_flags=False))
    assert report.tally.new == 1
    flags = {seen.content: seen.flags for seen in new.seen(user)}
    assert flags[b"Message-ID: <1@x>\n\nbody\n"] == {"\\Answered", "own-label"}
    assert flags[b"Message-ID: <2@x>\n\nstraggler\n"] == {"\\Flagged"}


def test_what_is_new_stays_new_on_the_source_and_recent_is_never_sent(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nread\n", "S")
    folder = old.maildir(user) / "new"
    folder.mkdir(exist_ok=True)
    (folder / "1700000000.n1.host").write_bytes(b"Message-ID: <2@x>\n\nunread\n")
    old.own(old.maildir(user))
    for _ in range(2):
        assert run(old, new, user, ledger).state is State.DONE
    assert [path.name for path in folder.iterdir()] == ["1700000000.n1.host"]
    assert new.seen(user) == expected(old.seen(user))


@pytest.mark.parametrize("seed", range(3))
def test_a_lost_ledger_is_rebuilt_without_one_duplicate(
    seed: int, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, tmp_path: Path
) -> None:
    fill(old, user, seed + 50, 200)
    run(old, new, user, ledger)
    there = new.seen(user)
    other = SqlLedger(f"sqlite:///{tmp_path}/other.db", RealClock())
    report = run(old, new, user, other)
    assert (report.state, report.tally.recognised, report.tally.octets) == (State.DONE, 200, 0)
    assert new.seen(user) == there
    again = run(old, new, user, other)
    assert again.tally.new == 0
    other.close()


def test_a_half_filled_target_gets_what_is_missing(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 7, 120, PLAIN)
    run(old, new, user, ledger)
    other = SqlLedger("sqlite://", RealClock())
    new.doveadm("expunge", "-u", user, "mailbox", "INBOX", "1:20")
    report = run(old, new, user, other)
    assert (report.tally.new - report.tally.recognised, report.state) == (20, State.DONE)
    assert new.seen(user) == expected(old.seen(user))
    other.close()


def test_forwarded_copies_are_recognised_and_native_mail_stays(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    header = b"Message-ID: <f@x>\nFrom: a@example.org\nSubject: hello\n"
    add(
        new,
        user,
        "",
        b"Return-Path: <a@example.org>\nReceived: by new\n" + header + b"\nbody\n",
        received=1_700_000_000,
    )
    add(new, user, "", b"Message-ID: <native@x>\n\nnative\n")
    add(old, user, "", b"Received: by old\nReceived: by new\n" + header + b"\nbody\n", received=1_700_000_009)
    add(old, user, "", b"Message-ID: <f@x>\nFrom: a@example.org\nSubject: hello\n\nanother body\n")
    report = run(old, new, user, ledger)
    assert (report.tally.new, report.tally.recognised) == (2, 1)
    assert sum(new.seen(user).values()) == 3


def test_a_forwarded_copy_that_was_given_a_date_on_the_way_is_recognised(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    header = b"Message-ID: <undated@x>\nFrom: a@example.org\nSubject: hello\n"
    add(new, user, "", b"Received: by new\n" + header + b"\nbody\n", received=1_700_000_000)
    dated = header + b"Date: Mon, 1 Jan 2024 10:00:00 +0000\n"
    add(old, user, "", b"Received: by old\n" + dated + b"\nbody\n", received=1_700_000_009)
    add(old, user, "", dated.replace(b"hello", b"another") + b"\nbody\n")
    report = run(old, new, user, ledger)
    assert (report.tally.new, report.tally.recognised) == (2, 1)
    verdict = verify_mailbox(copying(endpoint(old, user), endpoint(new, user)), Means(ledger, RealClock()))
    assert Kind.MISSING not in {difference.kind for difference in verdict.differences}


def test_a_changed_uidvalidity_on_either_side_copies_nothing_twice(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 9, 100, PLAIN)
    run(old, new, user, ledger)
    there = new.seen(user)
    for server in (old, new):
        for cache in server.maildir(user).rglob("dovecot*"):
            if cache.name != "dovecot-keywords" and cache.is_file():
                cache.unlink()
        for folder in ("INBOX", "Work"):
            server.doveadm("mailbox", "update", "-u", user, "--uid-validity", "4711", folder)
        report = run(old, new, user, ledger)
        assert (report.state, report.tally.recognised) == (State.DONE, 100)
        assert Counter({replace(s, flags=frozenset()): n for s, n in new.seen(user).items()}) == Counter(
            {replace(s, flags=frozenset()): n for s, n in there.items()}
        )


def test_a_target_folder_removed_in_between_is_filled_again(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 10, 60, PLAIN)
    run(old, new, user, ledger)
    new.doveadm("mailbox", "delete", "-u", user, "Work")
    report = run(old, new, user, ledger)
    assert report.state is State.DONE
    assert new.seen(user) == expected(old.seen(user))


def test_a_source_folder_removed_or_renamed_in_between_loses_nothing(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 11, 60, PLAIN)
    run(old, new, user, ledger)
    there = new.seen(user)
    old.doveadm("mailbox", "rename", "-u", user, "Work", "Renamed")
    report = run(old, new, user, ledger)
    assert report.state is State.DONE
    assert not there - new.seen(user)
    assert not expected(old.seen(user)) - new.seen(user)


def test_the_rules_decide_over_folders_and_dates(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nearly\n", received=1_600_000_000)
    add(old, user, "", b"Message-ID: <2@x>\n\nlate\n", received=1_700_000_000)
    add(old, user, "Cache", b"Message-ID: <3@x>\n\nx\n")
    add(old, user, "Work", b"Message-ID: <4@x>\n\nx\n")
    folders = FolderRules(into={"Work": "Done/2019"}, exclude=frozenset({"Cache"}))
    report = run(old, new, user, ledger, Rules(folders, since=datetime(2023, 1, 1, tzinfo=UTC)))
    assert (report.tally.count, report.tally.copied, report.tally.excluded) == (4, 2, 2)
    assert report.tally.balanced
    assert {seen.folder for seen in new.seen(user)} == {"INBOX", "Done/2019"}


def test_an_empty_message_is_refused_with_the_reason_and_can_be_tried_again(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"")
    add(old, user, "", b"Message-ID: <1@x>\n\nbody\n")
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.copied, report.tally.refused) == (State.DONE, 1, 1)
    assert "no octets" in report.refusals[0].words
    later = run(old, new, user, ledger)
    assert (later.tally.new, later.tally.refused, later.refusals) == (0, 1, report.refusals)
    add(old, user, "", b"Message-ID: <2@x>\n\nbody\n")
    assert run(old, new, user, ledger).refusals == report.refusals
    again = run(old, new, user, ledger, Rules(retry_refused=True))
    assert (again.tally.copied, again.tally.refused, again.tally.new) == (2, 1, 0)


def test_a_message_over_the_size_that_the_target_takes_is_refused_alone(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\n" + b"x" * 5000 + b"\n")
    add(old, user, "", b"Message-ID: <2@x>\n\nsmall\n")
    copy = copying(endpoint(old, user), endpoint(new, user))
    server = replace(copy.target.server, limits=Limits(largest=1000))
    report = copy_mailbox(replace(copy, target=replace(copy.target, server=server)), Means(ledger, RealClock()))
    assert (report.tally.copied, report.tally.refused) == (1, 1)
    assert "APPENDLIMIT" in report.refusals[0].words


def test_the_days_volume_ends_a_pass_and_the_next_day_goes_on(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, tmp_path: Path
) -> None:
    fill(old, user, 12, 40, PLAIN)
    copy = copying(endpoint(old, user), endpoint(new, user))
    limited = replace(copy.source, server=replace(copy.source.server, limits=Limits(octets_a_day=1)))
    report = copy_mailbox(replace(copy, source=limited), Means(ledger, RealClock()))
    assert (report.state, report.tally.copied, report.tally.waiting) == (State.LIMITED, 0, 40)
    assert report.tally.balanced
    assert run(old, new, user, ledger).state is State.DONE


def test_each_day_brings_what_the_day_allows_until_all_is_there(
    old: Dovecot, new: Dovecot, user: str, tmp_path: Path
) -> None:
    fill(old, user, 16, 60, PLAIN)
    octets = sum(len(seen.content) * times for seen, times in old.seen(user).items())
    clock = FakeClock()
    ledger = SqlLedger(f"sqlite:///{tmp_path}/days.db", clock)
    copy = copying(endpoint(old, user), endpoint(new, user))
    a_day = max(40_000, octets // 4)
    limits = Limits(octets_a_day=a_day)
    copy = replace(copy, target=replace(copy.target, server=replace(copy.target.server, limits=limits)))
    days: list[MailboxReport] = []
    while not days or days[-1].state is State.LIMITED:
        days.append(copy_mailbox(copy, Means(ledger, clock)))
        again = copy_mailbox(copy, Means(ledger, clock))
        assert again.tally.octets + days[-1].tally.octets == ledger.spent(copy.key) <= a_day
        assert days[-1].tally.new > 0
        clock.advance(timedelta(days=1))
    ledger.close()
    assert len(days) >= 4
    assert days[-1].state is State.DONE
    assert new.seen(user) == expected(old.seen(user))


def test_an_administrator_copies_for_the_user(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 13, 30, PLAIN)
    copy = copying(endpoint(old, user), endpoint(new, user))
    master = MasterUser(user, MASTER[0], lambda: Secret(MASTER[1]))
    proxied = Proxied(user, MASTER[0], lambda: Secret(MASTER[1]))
    copy = replace(copy, source=replace(copy.source, login=master), target=replace(copy.target, login=proxied))
    assert copy_mailbox(copy, Means(ledger, RealClock())).state is State.DONE
    assert new.seen(user) == expected(old.seen(user))


def test_an_administrator_who_sees_nothing_is_not_believed(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    copy = copying(endpoint(old, user), endpoint(new, user))
    master = MasterUser(user, MASTER[0], lambda: Secret(MASTER[1]))
    copy = replace(copy, source=replace(copy.source, login=master))
    report = copy_mailbox(copy, Means(ledger, RealClock()))
    assert report.state is State.SUSPECT
    assert "no message" in report.words
    allowed = replace(copy, rules=Rules(may_be_empty=True))
    assert copy_mailbox(allowed, Means(ledger, RealClock())).state is State.DONE


def test_a_password_that_no_longer_works_is_auth_lost_and_never_shown(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 14, 10, PLAIN)
    run(old, new, user, ledger)
    copy = copying(endpoint(old, user, password="hunter2-wrong"), endpoint(new, user))
    report = copy_mailbox(copy, Means(ledger, RealClock()))
    assert report.state is State.AUTH_LOST
    assert user in report.words
    assert "hunter2" not in report.words


def test_a_full_target_stops_the_mailbox_and_room_lets_it_go_on(old: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 15, 80, PLAIN)
    small = Dovecot("small", extra=QUOTA % "100k").start()
    try:
        small.add_user(user)
        report = run(old, small, user, ledger)
        assert report.state is State.FULL
        assert "OVERQUOTA" in report.words or "uota" in report.words
        small.config.write_text(small.config.read_text().replace("storage=100k", "storage=1G"))
        small.stop()
        small.start()
        assert run(old, small, user, ledger).state is State.DONE
        assert small.seen(user) == expected(old.seen(user))
    finally:
        small.remove()


def test_progress_is_told_with_numbers(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 16, 30, PLAIN)
    told: list[Progress] = []
    run(old, new, user, ledger, events=on_progress(told.append))
    assert told[0].state is State.LOOKING
    assert told[-1].state is State.DONE
    assert (told[-1].messages, told[-1].of_messages) == (30, 30)
    assert told[-1].octets > 0


def test_nobody_answering_is_failed_after_some_tries(new: Dovecot, user: str, ledger: SqlLedger) -> None:
    pauses: list[float] = []
    copy = copying(endpoint(new, user, port=1), endpoint(new, user))
    report = copy_mailbox(copy, Means(ledger, RealClock(), patience=Patience(attempts=3), sleep=pauses.append))
    assert report.state is State.FAILED
    assert len(pauses) == 2


def test_hostile_mail_is_never_read_as_commands(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    (old.maildir(user) / "cur").mkdir(parents=True)
    (old.maildir(user) / "dovecot-keywords").write_text(
        "0 bad(flag\n1 " + "k" * 60 + "\n2 $Label1\n3 \\Forwarded\n4 a]b\n"
    )
    attack = b'z1 CREATE Pwned\r\n{5+}\r\nR2 CREATE Pwned2\r\n) "x" {3}\r\n\r\n'
    chance = random.Random(1)
    for number in range(30):
        write(old.maildir(user), f"{number}.hostile.h", attack * number + b"x\n", chance)
    for file in (old.maildir(user) / "cur").iterdir():
        file.rename(file.with_name(file.name + "abcde"))
    old.own(old.maildir(user).parent)
    report = run(old, new, user, ledger)
    assert report.state is State.DONE
    assert sum(new.seen(user).values()) == 30
    assert not [name for name in new.folders(user) if "Pwned" in name]
