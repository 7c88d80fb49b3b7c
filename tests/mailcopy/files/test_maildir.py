import imaplib
import multiprocessing
import os
import random
import stat
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import pytest

from reconciler.mailcopy.either import copy_mailbox, verify_mailbox
from reconciler.mailcopy.files.files import PIECE
from reconciler.mailcopy.files.verify import verify_files
from reconciler.mailcopy.imap.copy import copy_mailbox as copy_over_imap
from reconciler.mailcopy.job import MailboxReport, Means, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.judging import FORWARDED
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.model.grade import Grade, Kind
from tests.lab.dovecot import Dovecot
from tests.lab.mail_files import copy_in_a_process, copying, end, in_order, prepared, shown
from tests.lab.mailbox import RealClock, endpoint, fill
from tests.lab.mailbox import copying as copying_over_imap

pytestmark = pytest.mark.daemon
PLAIN = ((), ("Work",))
SOME = ((), ("Work", "Größe & Maße"), ("empty",))


def run(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, rules: Rules | None = None, **means) -> MailboxReport:
    copy = copying(end(old.maildir(user)), end(new.maildir(user)), rules)
    return copy_mailbox(copy, Means(ledger, RealClock(), **means))


def judged(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, rules: Rules | None = None):
    copy = copying(end(old.maildir(user)), end(new.maildir(user)), rules)
    return verify_files(copy, Means(ledger, RealClock()), 200, random.Random(1))


def add(server: Dovecot, user: str, folder: str, content: bytes, name: str = "", received: int = 1_700_000_000) -> Path:
    directory = server.maildir(user) / (f".{folder}" if folder else "") / "cur"
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / (name or f"{random.randrange(10**9, 10**10)}.added.host:2,")
    file.write_bytes(content)
    os.utime(file, (received, received))
    server.own(server.maildir(user).parent)
    return file


@pytest.mark.parametrize("seed", range(3))
def test_a_random_mailbox_is_the_same_on_both_sides(
    seed: int, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, seed, 150)
    prepared(new, user)
    report = run(old, new, user, ledger)
    assert (report.state, report.words, report.refusals) == (State.DONE, "", ())
    assert (report.tally.balanced, report.tally.copied, report.tally.new) == (True, 150, 150)
    assert new.seen(user) == old.seen(user)
    assert shown(new, user) == shown(old, user)
    assert {"empty", "Work/Größe & Maße"} <= new.folders(user)
    there = set(new.doveadm("mailbox", "list", "-s", "-u", user).splitlines())
    here = old.doveadm("mailbox", "list", "-s", "-u", user).splitlines()
    assert there == {name.replace(".", "/") for name in here} != set()
    verdict = judged(old, new, user, ledger)
    assert (verdict.grade, verdict.messages, verdict.sampled) == (Grade.PERFECT, 150, 150)
    again = run(old, new, user, ledger)
    assert (again.tally.new, again.tally.copied, again.tally.balanced) == (0, 150, True)
    assert "Error" not in new.log()
    assert "Panic" not in new.log()


def test_a_letter_that_means_another_keyword_on_the_other_side_is_translated(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 5, 80, PLAIN)
    root = prepared(new, user)
    add(new, user, "", b"Message-ID: <own@x>\n\nown\n", "1.own.host:2,ab")
    (root / "dovecot-keywords").write_text("0 Urgent\n1 NonJunk\n7 Later\n")
    new.own(root)
    own = new.seen(user)
    assert {flag for seen in own for flag in seen.flags} == {"Urgent", "NonJunk"}
    assert run(old, new, user, ledger).state is State.DONE
    assert new.seen(user) == old.seen(user) + own
    assert (root / "dovecot-keywords").read_text().startswith("0 Urgent\n1 NonJunk\n7 Later\n2 ")
    assert judged(old, new, user, ledger).grade is Grade.GOOD


def test_more_keywords_than_there_are_letters_lose_no_message(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    root = prepared(new, user)
    (root / "dovecot-keywords").write_text("".join(f"{number} own{number}\n" for number in range(26)))
    new.own(root)
    for number in range(3):
        add(old, user, "", b"Message-ID: <%d@x>\n\nx\n" % number, f"{number}.k.host:2,Sa")
    (old.maildir(user) / "dovecot-keywords").write_text("0 label\n")
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.copied) == (State.DONE, 3)
    assert {seen.flags for seen in new.seen(user)} == {frozenset({"\\Seen"})}
    assert judged(old, new, user, ledger).differences[0].explained == "the target folder takes no new keywords"


def test_a_client_that_has_the_folder_open_sees_everything_arrive_with_its_flags_in_order(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 6, 120, ((),))
    prepared(new, user)
    with imaplib.IMAP4("127.0.0.1", new.port) as client:
        client.login(user, f"pw-{user}")
        client.select("INBOX")
        client.append("INBOX", "\\Seen Meanwhile", None, b"Message-ID: <own@x>\r\n\r\nown\r\n")
        assert run(old, new, user, ledger).state is State.DONE
        client.noop()
        assert client.response("EXISTS")[1][-1] == b"121"
        uids: dict[int, int] = {}
        for row in client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]:
            if isinstance(row, tuple):
                uids[len(uids)] = int(row[0].split(b"UID ")[1].split()[0])
        client.uid("STORE", "1:*", "+FLAGS", "(Another)")
    assert sorted(uids.values()) == list(uids.values())
    seen = new.seen(user)
    assert sum(seen.values()) == 121
    flags = Counter({replace(s, flags=s.flags - {"Another"}): n for s, n in seen.items()})
    assert not old.seen(user) - flags
    assert [row for row in in_order(new, user) if "own@x" not in row[1]] == in_order(old, user)


def test_new_mail_and_changed_flags_follow_and_expunged_mail_stays(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 4, 60, PLAIN)
    prepared(new, user)
    run(old, new, user, ledger)
    add(old, user, "Work", b"Message-ID: <late@x>\n\nlate\n", "9999999.late.host:2,S")
    old.doveadm("flags", "add", "-u", user, "\\Flagged own-label brand-new", "mailbox", "INBOX", "1:5")
    old.doveadm("flags", "remove", "-u", user, "\\Seen", "mailbox", "INBOX", "6:9")
    gone = old.doveadm("-f", "tab", "fetch", "-u", user, "guid", "mailbox", "INBOX", "20").splitlines()[1]
    old.doveadm("expunge", "-u", user, "mailbox", "INBOX", "guid", gone)
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.new, report.tally.balanced) == (State.DONE, 1, True)
    missing, extra = old.seen(user) - new.seen(user), new.seen(user) - old.seen(user)
    assert not missing
    assert sum(extra.values()) == 1


def test_flags_that_the_user_sets_on_the_new_server_stay_beside_those_that_follow(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nbody\n")
    prepared(new, user)
    run(old, new, user, ledger)
    new.doveadm("flags", "add", "-u", user, "\\Answered Mine", "mailbox", "INBOX", "ALL")
    old.doveadm("flags", "add", "-u", user, "\\Flagged \\Deleted", "mailbox", "INBOX", "ALL")
    run(old, new, user, ledger)
    (seen,) = new.seen(user)
    assert seen.flags == {"\\Answered", "Mine", "\\Flagged"}
    new.doveadm("flags", "remove", "-u", user, "\\Flagged", "mailbox", "INBOX", "ALL")
    run(old, new, user, ledger)
    (seen,) = new.seen(user)
    assert seen.flags == {"\\Answered", "Mine"}


def test_flags_no_longer_follow_a_user_who_has_moved(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nbody\n")
    prepared(new, user)
    run(old, new, user, ledger)
    old.doveadm("flags", "add", "-u", user, "\\Flagged", "mailbox", "INBOX", "ALL")
    add(old, user, "", b"Message-ID: <2@x>\n\nstraggler\n", "2.late.host:2,F")
    report = run(old, new, user, ledger, Rules(follow_flags=False))
    assert report.tally.new == 1
    assert sorted("\\Flagged" in seen.flags for seen in new.seen(user)) == [False, True]


def test_what_the_user_removed_on_the_new_server_does_not_come_back(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 7, 30, PLAIN)
    prepared(new, user)
    run(old, new, user, ledger)
    new.doveadm("expunge", "-u", user, "mailbox", "INBOX", "1:5")
    there = new.seen(user)
    assert run(old, new, user, ledger).tally.new == 0
    assert new.seen(user) == there


def test_a_lost_ledger_is_rebuilt_without_one_duplicate(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 50, 120)
    prepared(new, user)
    run(old, new, user, ledger)
    there = new.seen(user)
    other = SqlLedger("sqlite://", RealClock())
    report = run(old, new, user, other)
    assert (report.state, report.tally.recognised, report.tally.octets) == (State.DONE, 120, 0)
    assert new.seen(user) == there
    assert run(old, new, user, other).tally.new == 0
    other.close()


def test_what_was_copied_over_imap_before_is_recognised_and_the_rest_delivered(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 51, 100, PLAIN)
    copy_over_imap(copying_over_imap(endpoint(old, user), endpoint(new, user)), Means(ledger, RealClock()))
    new.doveadm("expunge", "-u", user, "mailbox", "INBOX", "1:10")
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.new, report.tally.recognised) == (State.DONE, 100, 90)
    assert sum(new.seen(user).values()) == 100
    assert {(s.folder, s.flags, s.received) for s in new.seen(user)} == {
        (s.folder, s.flags, s.received) for s in old.seen(user)
    }


def test_our_own_process_killed_again_and_again(old: Dovecot, new: Dovecot, user: str, tmp_path: Path) -> None:
    fill(old, user, 28, 3000, PLAIN)
    target = prepared(new, user)
    place = f"sqlite:///{tmp_path}/killed.db"
    spawn = multiprocessing.get_context("spawn")

    def delivered() -> int:
        return sum(1 for part in ("cur", ".Work/cur") if (target / part).is_dir() for _ in (target / part).iterdir())

    killed = 0
    for limit in (1, 600, 1200, 1800, None):
        before = delivered()
        child = spawn.Process(target=copy_in_a_process, args=(str(old.maildir(user)), str(target), place))
        child.start()
        while child.is_alive():
            if limit is not None and delivered() >= max(limit, before + 1):
                child.kill()
                killed += 1
                break
            sleep(0.001)
        child.join()
        assert limit is not None or child.exitcode == 0
    assert killed >= 3
    assert new.seen(user) == old.seen(user)


def test_what_is_delivered_belongs_to_the_owner_of_the_maildir_and_dovecots_own_files_are_left_alone(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 8, 40, SOME)
    root = prepared(new, user)
    native = add(new, user, "", b"Message-ID: <own@x>\n\nown\n")
    new.seen(user)
    own = {path: path.read_bytes() for path in root.glob("dovecot*")}
    assert {"dovecot-uidlist", "dovecot.index.log"} <= {path.name for path in own}
    run(old, new, user, ledger)
    assert {path: path.read_bytes() for path in own} == own
    native.unlink()
    owner = root.stat()
    for path in root.rglob("*"):
        if path.name.startswith("dovecot.") or path.name.startswith("dovecot-uid"):
            continue
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (owner.st_uid, owner.st_gid), path
        assert stat.S_IMODE(found.st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not list(root.rglob("tmp/*"))
    assert not list(root.rglob("*.lock"))


@pytest.mark.parametrize("mode", [0o2770, 0o750])
def test_files_take_the_mode_of_their_maildir(
    mode: int, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 9, 10, PLAIN)
    root = prepared(new, user)
    for part in (root, root / "cur", root / "new", root / "tmp"):
        part.chmod(mode)
    run(old, new, user, ledger)
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("cur/*")} == {mode & 0o666}
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.glob(".*/cur")} == {mode}


def test_hostile_names_go_through_every_program_as_they_are(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    names = [b"-rf", b"a b", b"$(touch x)", b"`id`;", b"line\nend", b"\xff\xfe", b"'q\"", b"*?[", b"==> x <==", b"%n"]
    names += [b"tab\t", b"\\0", b"S=1,S=2", "ü".encode()]
    here = old.maildir(user)
    for part in ("cur", "new", "tmp", ".-dash $(id)/cur", ".-dash $(id)/new"):
        (here / part).mkdir(parents=True)
    for number, name in enumerate(names):
        for folder in (b"cur/", b".-dash $(id)/cur/"):
            (Path(os.fsdecode(os.fsencode(here) + b"/" + folder + name + b":2,S"))).write_bytes(
                b"Message-ID: <%d@x>\nSubject: %s\n\n==> ./cur/%s <==\n" % (number, folder, name)
            )
    old.own(here.parent)
    prepared(new, user)
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.copied) == (State.DONE, 2 * len(names))
    other = SqlLedger("sqlite://", RealClock())
    for file in new.maildir(user).rglob("cur/*"):  # names that another program might have given: told by their text
        file.rename(file.with_name(os.fsdecode(b"\xfe " + os.fsencode(file.name.replace("reconciler", "oth\ner")))))
    again = run(old, new, user, other)
    assert (again.state, again.tally.recognised) == (State.DONE, 2 * len(names))
    other.close()
    texts = [Counter(path.read_bytes() for path in root.rglob("cur/*")) for root in (here, new.maildir(user))]
    assert texts[0] == texts[1]
    assert not list(here.rglob("x"))


def test_a_big_message_comes_in_pieces(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    big = b"Message-ID: <big@x>\n\n" + random.Random(1).randbytes(PIECE) + b"\n" + b"y" * 1000
    add(old, user, "", big, "1.big.host:2,FS")
    add(old, user, "", b"Message-ID: <small@x>\n\nsmall\n", "2.small.host:2,")
    prepared(new, user)
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.copied, report.tally.octets) == (State.DONE, 2, len(big) + 29)
    assert new.seen(user) == old.seen(user)
    assert not list((new.maildir(user) / "tmp").iterdir())


def test_nested_folders_and_those_of_maildir_plus_plus_are_carried_into_one_another(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 10, 60, SOME)
    nested = Dovecot("nested", location="maildir:~/Maildir:LAYOUT=fs").start()
    try:
        nested.add_user(user)
        out = copying(end(old.maildir(user)), end(prepared(nested, user), nested=True))
        report = copy_mailbox(out, Means(ledger, RealClock()))
        assert (report.state, report.tally.copied) == (State.DONE, 60)
        assert nested.seen(user) == old.seen(user)
        assert shown(nested, user) == shown(old, user)
        assert "empty" in nested.folders(user)
        prepared(new, user)
        back = copying(end(nested.maildir(user), nested=True), end(new.maildir(user)), who="other")
        assert copy_mailbox(back, Means(ledger, RealClock())).state is State.DONE
        assert shown(new, user) == shown(old, user)
        assert verify_mailbox(back, Means(ledger, RealClock())).grade is Grade.PERFECT
    finally:
        nested.remove()


def test_the_rules_decide_over_folders_and_dates(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nearly\n", "1.a:2,", 1_600_000_000)
    add(old, user, "", b"Message-ID: <2@x>\n\nlate\n", "2.a:2,")
    add(old, user, "Cache", b"Message-ID: <3@x>\n\nx\n")
    add(old, user, "Work", b"Message-ID: <4@x>\n\nx\n")
    add(old, user, "Other", b"Message-ID: <5@x>\n\nx\n")
    prepared(new, user)
    folders = FolderRules(into={"Work": "Done/2019", "Other": "Done/2019"}, exclude=frozenset({"Cache"}))
    report = run(old, new, user, ledger, Rules(folders, since=datetime(2023, 1, 1, tzinfo=UTC)))
    assert (report.tally.count, report.tally.copied, report.tally.excluded) == (5, 3, 2)
    assert report.tally.balanced
    assert {seen.folder for seen in new.seen(user)} == {"INBOX", "Done/2019"}


@pytest.mark.parametrize("into", ["a\\/b", "..", ".x", "a.b"])
def test_a_folder_of_the_spec_that_no_maildir_can_hold_is_told_and_nothing_is_written_elsewhere(
    into: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "Work", b"Message-ID: <4@x>\n\nx\n")
    (old.maildir(user) / "cur").mkdir()
    root = prepared(new, user)
    before = {path for path in root.parent.rglob("*") if not path.name.startswith("dovecot")}
    report = run(old, new, user, ledger, Rules(FolderRules(into={"Work": into})))
    after = {path for path in root.parent.rglob("*") if not path.name.startswith("dovecot")}
    if into == "a.b":  # Maildir++ knows no other way to write a/b
        assert (root / ".a.b").is_dir()
        return
    assert (report.state, report.tally.waiting) == (State.PARTLY, 1)
    assert into.replace("\\", "") in report.refusals[0].words
    assert after == before


def test_files_that_the_server_has_packed_are_refused_with_the_reason(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    packing = Dovecot("packing", extra="mail_plugins = zlib\nplugin {\n  zlib_save = gz\n}\n").start()
    try:
        packing.add_user(user)
        prepared(packing, user)
        with imaplib.IMAP4("127.0.0.1", packing.port) as client:
            client.login(user, f"pw-{user}")
            client.append("INBOX", None, None, b"Message-ID: <1@x>\r\n\r\nbody\r\n")
        add(packing, user, "", b"Message-ID: <2@x>\n\nplain\n")
        prepared(new, user)
        report = run(packing, new, user, ledger)
        assert (report.state, report.tally.copied, report.tally.refused) == (State.DONE, 1, 1)
        assert "gzip" in report.refusals[0].words
        verdict = judged(packing, new, user, ledger)
        assert (verdict.grade, "gzip" in verdict.differences[0].explained) == (Grade.GOOD, True)
    finally:
        packing.remove()


def test_a_path_that_leads_nowhere_is_no_empty_mailbox(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    prepared(new, user)
    report = run(old, new, user, ledger)
    assert report.state is State.SUSPECT
    assert f"there is no mailbox at {old.maildir(user)}" in report.words
    assert run(old, new, user, ledger, Rules(may_be_empty=True)).state is State.DONE


def test_a_maildir_that_is_missing_is_made_only_if_asked_for(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(old, user, 11, 20, PLAIN)
    target = end(new.maildir(user))
    careful = copying(end(old.maildir(user)), replace(target, may_be_made=False))
    report = copy_mailbox(careful, Means(ledger, RealClock()))
    assert (report.state, new.maildir(user).exists()) == (State.SUSPECT, False)
    assert run(old, new, user, ledger).state is State.DONE
    assert new.seen(user) == old.seen(user)


def test_symbolic_links_are_told_and_not_followed(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    file = add(old, user, "", b"Message-ID: <1@x>\n\nx\n")
    (file.parent / "link:2,S").symlink_to(file)
    (old.maildir(user) / ".Shared").symlink_to(file.parent.parent)
    prepared(new, user)
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.copied) == (State.PARTLY, 1)
    assert {refusal.folder for refusal in report.refusals} == {".Shared", "cur/link:2,S"}


def test_two_files_of_one_name_are_told_and_neither_is_copied_until_one_is_renamed(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"Message-ID: <0@x>\n\nother\n", "0.other.host:2,")
    add(old, user, "", b"Message-ID: <1@x>\n\none\n", "1.same.host:2,")
    second = add(old, user, "", b"Message-ID: <2@x>\n\ntwo\n", "1.same.host:2,S")
    prepared(new, user)
    report = run(old, new, user, ledger)
    assert (report.state, report.tally.copied) == (State.PARTLY, 1)
    assert "two files have one name" in report.refusals[0].words
    second.rename(second.with_name("2.apart.host:2,S"))
    assert run(old, new, user, ledger).state is State.DONE
    assert shown(new, user) == shown(old, user)
    assert sum(shown(new, user).values()) == 3


def drop(file: Path) -> None:
    file.unlink()


def flip(file: Path) -> None:
    times = file.stat()
    file.write_bytes(file.read_bytes().replace(b"body", b"bodi"))
    os.utime(file, (times.st_atime, times.st_mtime))


def double(file: Path) -> None:
    other = file.with_name(f"twice.{file.name}")
    other.write_bytes(file.read_bytes())
    os.utime(other, (file.stat().st_mtime,) * 2)


def unflag(file: Path) -> None:
    file.rename(file.with_name(file.name.removesuffix("S")))


def redate(file: Path) -> None:
    os.utime(file, (1_600_000_000, 1_600_000_000))


def arrive(file: Path) -> None:
    (file.parent.parent / "new" / "1.native.h").write_bytes(b"Message-ID: <native@x>\n\nhello\n")


@pytest.mark.parametrize(
    ("damage", "kind", "grade"),
    [
        (drop, Kind.MISSING, Grade.POOR),
        (flip, Kind.ALTERED, Grade.POOR),
        (double, Kind.TWICE, Grade.INVESTIGATE),
        (unflag, Kind.FLAGS, Grade.INVESTIGATE),
        (redate, Kind.DATE, Grade.INVESTIGATE),
        (arrive, Kind.EXTRA, Grade.GOOD),
    ],
)
def test_the_judge_finds_every_damage(damage, kind: Kind, grade: Grade, tmp_path: Path, ledger: SqlLedger) -> None:
    for part in ("old/cur", "old/new", "old/tmp"):
        (tmp_path / part).mkdir(parents=True)
    for number in range(10):
        file = tmp_path / "old" / "cur" / f"{number}.m.h:2,S"
        file.write_bytes(b"Message-ID: <%d@x>\nSubject: s\n\nbody %d\n" % (number, number))
        os.utime(file, (1_700_000_000 + number,) * 2)
    (tmp_path / "new").mkdir()
    os.chown(tmp_path / "new", os.geteuid(), os.getegid())
    copy = copying(end(tmp_path / "old"), end(tmp_path / "new"))
    assert copy_mailbox(copy, Means(ledger, RealClock())).state is State.DONE
    damage(next((tmp_path / "new" / "cur").glob("3.*")))
    verdict = verify_files(copy, Means(ledger, RealClock()), 20, random.Random(1))
    assert ([each.kind for each in verdict.differences], verdict.grade) == ([kind], grade)


def test_thousands_of_forwarded_copies_need_no_person_and_hide_no_other_message(
    tmp_path: Path, ledger: SqlLedger
) -> None:
    for side, header in (("old", b"Received: by the forward\nReceived: by new\n"), ("new", b"Received: by new\n")):
        for part in ("cur", "new", "tmp"):
            (tmp_path / side / part).mkdir(parents=True)
        for number in range(1500):
            text = b"another text" if (side, number) == ("old", 1234) else b"text"
            file = tmp_path / side / "cur" / f"{number}.m.h:2,S"
            file.write_bytes(header + b"Message-ID: <%d@x>\nSubject: s\n\n%s %d\n" % (number, text, number))
            os.utime(file, (1_700_000_000 + number + (side == "old"),) * 2)
    copy = copying(end(tmp_path / "old"), end(tmp_path / "new"))
    verdict = verify_files(copy, Means(ledger, RealClock()), 0, random.Random(1))
    found = {(each.kind, each.explained): each.count for each in verdict.differences}
    assert found == {(kind, why): n for kind in (Kind.SIZE, Kind.DATE) for why, n in ((FORWARDED, 1499), ("", 1))}
    assert verdict.grade is Grade.INVESTIGATE


def test_mail_that_came_after_the_pass_is_left_to_the_next_one(
    old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nbody\n")
    prepared(new, user)
    report = run(old, new, user, ledger)
    copy = copying(end(old.maildir(user)), end(new.maildir(user)))
    add(old, user, "", b"Message-ID: <2@x>\n\nlate\n", received=int(report.began.timestamp()) + 1)
    late = verify_mailbox(copy, Means(ledger, RealClock()), report.began)
    assert [each.explained for each in late.differences] == ["it came after the last pass over its folder"]
    add(old, user, "", b"Message-ID: <3@x>\n\nnobody has seen it\n", received=1_700_000_000)
    assert verify_mailbox(copy, Means(ledger, RealClock()), report.began).grade is Grade.POOR


def test_the_quota_file_of_maildir_plus_plus_is_told(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger) -> None:
    add(old, user, "", b"Message-ID: <1@x>\n\nbody\n")
    root = prepared(new, user)
    (root / "maildirsize").write_text("1000000S\n5 1\n")
    new.own(root)
    run(old, new, user, ledger)
    assert (root / "maildirsize").read_text() == "1000000S\n5 1\n24 1\n"
