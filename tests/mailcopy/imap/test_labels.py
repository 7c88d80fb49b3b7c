import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.job import MailboxReport, Means, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.limits import Limits
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.mailcopy.verify import Verification, verify_mailbox
from reconciler.model.grade import Grade
from reconciler.model.secret import Secret
from tests.fakes.gmail import Gmail
from tests.fakes.gmail_store import Mailbox
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, fill

pytestmark = pytest.mark.daemon

WORK, DEEP, PLAIN = "Work", "Work/Größe &- Maße", "Muy Importante"
RAW_DEEP = "Work/Gr&APYA3w-e &- Ma&AN8-e"


def message(number: int, size: int = 0) -> bytes:
    return b"Message-ID: <%d@x>\r\nSubject: %d\r\n\r\ntext\r\n%s" % (number, number, b"x" * size)


class Scene:
    """One person's Gmail, and that person's account on an ordinary server."""

    def __init__(self, new: Dovecot, user: str, ledger: SqlLedger) -> None:
        self.box = Mailbox(WORK, RAW_DEEP, PLAIN)
        self.gmail = Gmail(ann=self.box)
        self.new, self.user, self.ledger = new, user, ledger
        self.old = Endpoint(
            Server("127.0.0.1", self.gmail.port, Security.LOOPBACK, timeout=20),
            OwnPassword("ann", lambda: Secret("pw-ann")),
        )

    def copy(self, rules: Rules | None = None, limits: Limits | None = None) -> MailboxReport:
        old = self.old if limits is None else replace(self.old, server=replace(self.old.server, limits=limits))
        return copy_mailbox(copying(old, endpoint(self.new, self.user), rules), Means(self.ledger, RealClock()))

    def verify(self, rules: Rules | None = None) -> Verification:
        copy = copying(self.old, endpoint(self.new, self.user), rules)
        return verify_mailbox(copy, Means(self.ledger, RealClock()), chance=random.Random(1))

    def there(self) -> dict[str, list[int]]:
        """Folder to the numbers of its messages."""
        found: dict[str, list[int]] = {}
        for seen, times in self.new.seen(self.user).items():
            number = int(seen.content.partition(b"<")[2].partition(b"@")[0])
            found.setdefault(seen.folder, []).extend([number] * times)
        return {folder: sorted(numbers) for folder, numbers in found.items()}


@pytest.fixture
def scene(new: Dovecot, user: str, ledger: SqlLedger) -> Iterator[Scene]:
    made = Scene(new, user, ledger)
    yield made
    made.gmail.stop()


def many(scene: Scene) -> None:
    """A message of each kind."""
    box = scene.box
    box.put(message(1), "\\Inbox")
    box.put(message(2), "\\Inbox", WORK)
    box.put(message(3), WORK, RAW_DEEP, PLAIN)
    box.put(message(4), "\\Sent")
    box.put(message(5), "\\Sent", "\\Inbox")
    box.put(message(6), "\\Draft", WORK)
    box.put(message(7))
    box.put(message(8), "\\Starred", "\\Important")
    box.move(box.put(message(9), "\\Inbox"), "[Gmail]/Spam")
    box.move(box.put(message(10), WORK), "[Gmail]/Trash")


ONCE = {"INBOX": [1, 5], "Work": [2], DEEP: [3], "Sent": [4], "Drafts": [6], "Archive": [7, 8]} | {
    "Junk": [9],
    "Trash": [10],
}


def test_every_message_is_copied_once_into_the_folder_that_says_most_of_it(scene: Scene) -> None:
    many(scene)
    report = scene.copy()
    assert (report.state, report.tally.balanced, report.tally.new) == (State.DONE, True, 10), report
    assert scene.there() == {folder.replace("&-", "&"): numbers for folder, numbers in ONCE.items()}
    assert sum(account.tally.excluded for account in report.accounts if account.folder == "[Gmail]/All Mail") == 6


def test_the_second_pass_looks_and_sends_nothing(scene: Scene) -> None:
    many(scene)
    scene.copy()
    before = scene.gmail.said.copy()
    again = scene.copy()
    assert (again.state, again.tally.new, again.tally.balanced) == (State.DONE, 0, True)
    assert (scene.gmail.said - before)["UID_FETCH"] == 0


def test_a_star_is_a_flag_and_importance_a_keyword_that_follows(scene: Scene) -> None:
    starred = scene.box.put(message(1), "\\Inbox", "\\Starred", "\\Important")
    plain = scene.box.put(message(2), "\\Inbox")
    scene.copy()
    flags = {seen.content[:17]: seen.flags for seen in scene.new.seen(scene.user)}
    assert flags == {message(1)[:17]: {"\\Flagged", "$Important"}, message(2)[:17]: frozenset()}
    scene.box.unlabel(starred, "\\Important")
    scene.box.label(plain, "\\Important")
    scene.box.flag(plain, {"\\Seen"}, set())
    scene.copy()
    flags = {seen.content[:17]: seen.flags for seen in scene.new.seen(scene.user)}
    assert flags == {message(1)[:17]: {"\\Flagged"}, message(2)[:17]: {"\\Seen", "$Important"}}
    assert scene.verify().grade is Grade.GOOD


def test_the_judge_knows_why_all_mail_holds_more(scene: Scene) -> None:
    many(scene)
    scene.copy()
    verdict = scene.verify()
    assert verdict.grade is Grade.GOOD
    assert {d.explained for d in verdict.differences if d.kind == "missing"} == {
        f"excluded: shown in {folder} too, and copied from there"
        for folder in ("INBOX", WORK, DEEP.replace("&-", "&"), "[Gmail]/Sent Mail", "[Gmail]/Drafts")
    }


def test_each_label_has_its_copy_if_the_spec_wants_that(scene: Scene) -> None:
    many(scene)
    rules = Rules(every_label=True)
    report = scene.copy(rules)
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    there = scene.there()
    assert (there["INBOX"], there["Work"], there[PLAIN], there["Archive"]) == ([1, 2, 5], [2, 3, 6], [3], [7, 8])
    assert scene.verify(rules).grade is Grade.GOOD


def test_who_wants_a_copy_for_each_label_later_gets_it(scene: Scene) -> None:
    many(scene)
    scene.copy()
    scene.copy(Rules(every_label=True))
    there = scene.there()
    assert (there["INBOX"], there["Work"], there[PLAIN], there["Archive"]) == ([1, 2, 5], [2, 3, 6], [3], [7, 8])


def test_a_message_that_gets_another_label_later_is_not_copied_again(scene: Scene) -> None:
    mail = scene.box.put(message(1), "\\Inbox")
    scene.copy()
    scene.box.label(mail, WORK)
    scene.box.unlabel(mail, "\\Inbox")
    report = scene.copy()
    assert (report.tally.new, report.tally.balanced) == (0, True)
    assert scene.there() == {"INBOX": [1]}
    assert scene.verify().grade is Grade.GOOD


def test_what_was_left_to_a_folder_that_never_gave_it_is_copied_after_all(scene: Scene) -> None:
    mails = [scene.box.put(message(number, 3000), WORK) for number in range(3)]
    first = scene.copy(limits=Limits(octets_a_day=1000))
    assert (first.state, first.tally.copied) == (State.LIMITED, 0)
    for mail in mails:
        scene.box.unlabel(mail, WORK)
    assert scene.copy().state is State.DONE
    assert scene.there() == {"Archive": [0, 1, 2]}


def test_a_folder_that_the_spec_leaves_out_is_not_copied_by_way_of_all_mail(scene: Scene) -> None:
    scene.box.put(message(1), PLAIN)
    scene.box.put(message(2), PLAIN, "\\Inbox")
    scene.box.put(message(3))
    rules = Rules(FolderRules({"[Gmail]/All Mail": "Old/Everything else"}, frozenset({PLAIN})))
    report = scene.copy(rules)
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    assert scene.there() == {"INBOX": [2], "Old/Everything else": [3]}
    assert scene.copy(rules).tally.new == 0


def test_bandwidth_that_gmail_has_counted_as_used_up_is_a_daily_limit_and_refuses_no_message(scene: Scene) -> None:
    for number in range(40):
        scene.box.put(message(number, 30_000), "\\Inbox")
    scene.gmail.bandwidth = 400_000
    report = scene.copy()
    assert (report.state, report.refusals, report.tally.balanced) == (State.LIMITED, (), True), report
    assert "bandwidth limits" in report.words
    again = scene.copy()
    assert (again.state, again.accounts) == (State.LIMITED, ())
    scene.gmail.bandwidth = None
    assert scene.copy().state is State.DONE
    assert scene.there() == {"INBOX": [*range(40)]}


def test_a_copy_that_is_gone_from_the_target_with_its_folder_is_made_again(scene: Scene) -> None:
    mail = scene.box.put(message(1), WORK, "\\Inbox")
    archived = scene.box.put(message(2), WORK)
    scene.box.put(message(3), WORK)
    scene.copy()
    assert scene.there() == {"Work": [1, 2, 3]}
    scene.new.doveadm("mailbox", "delete", "-u", scene.user, "Work")
    scene.box.unlabel(mail, WORK)
    scene.box.unlabel(archived, WORK)
    report = scene.copy()
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    assert scene.there() == {"INBOX": [1], "Work": [3], "Archive": [2]}


def test_a_lost_ledger_is_rebuilt_without_one_duplicate(scene: Scene, tmp_path: Path) -> None:
    many(scene)
    scene.copy()
    there = scene.there()
    scene.ledger = SqlLedger(f"sqlite:///{tmp_path}/other.db", RealClock())
    report = scene.copy()
    assert (report.state, report.tally.recognised, report.tally.octets) == (State.DONE, 10, 0)
    assert scene.there() == there
    scene.ledger.close()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_to_labels_between_passes_each_message_stands_once(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    labels = [*scene.box.labels, "\\Inbox", "\\Sent", "\\Starred", "\\Important"]
    numbers = iter(range(10_000))
    for _ in range(5):
        for _ in range(12):
            scene.box.put(message(next(numbers), 500), *chance.sample(labels, chance.randrange(4)))
        for mail in chance.sample([*scene.box.mail.values()], 8):
            change = scene.box.label if chance.random() < 0.5 else scene.box.unlabel
            change(mail, *chance.sample(labels, 2))
        scene.copy(limits=Limits(octets_a_day=chance.choice([None, 7_000 * (1 + len(scene.box.mail) // 12)])))
    report = scene.copy()
    assert (report.state, report.tally.balanced) == (State.DONE, True)
    stands = Counter(number for numbers in scene.there().values() for number in numbers)
    assert stands == Counter(range(60))


def test_gmail_as_a_target_keeps_a_message_once_with_all_its_labels(old: Dovecot, user: str, ledger: SqlLedger) -> None:
    fill(old, user, 3, 40, ((), ("Work",), ("Muy Importante",)))
    gmail = Gmail(ann=Mailbox())
    try:
        target = Endpoint(
            Server("127.0.0.1", gmail.port, Security.LOOPBACK, timeout=20),
            OwnPassword("ann", lambda: Secret("pw-ann")),
        )
        report = copy_mailbox(copying(endpoint(old, user), target), Means(ledger, RealClock()))
        assert (report.state, report.tally.balanced) == (State.DONE, True), report.words
        assert {"Work", "Muy Importante"} <= set(gmail.mailboxes["ann"].labels)
        assert report.tally.copied + report.tally.refused == 40
        again = copy_mailbox(copying(endpoint(old, user), target), Means(ledger, RealClock()))
        assert (again.tally.new, again.tally.balanced) == (0, True)
    finally:
        gmail.stop()
