"""Law 15: every message of every folder is copied, or it is told that it is not; the judge shares no blind spot.

The copier and the judge meet two servers that are odd in any mixture of ways. What stands on both sides is taken from
the servers' own state, not from what they say.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import HealthCheck, event, given, settings

from reconciler.errors import MailError
from reconciler.mailcopy.job import MailboxReport, State
from reconciler.mailcopy.model.internal_date import seconds
from reconciler.mailcopy.model.mapping import Mapped
from reconciler.mailcopy.verify import Verification
from reconciler.model.grade import Grade, Kind
from tests.fakes.imap_folders import Folder, Mail
from tests.fakes.imap_odd_targets import Drops
from tests.fakes.imap_oddities import NewUidvalidity
from tests.laws.odd_servers import Pair, pairs
from tests.support.examples import examples
from tests.support.mail_move import MailMove, balanced, moving

laws = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
WELL = (Grade.PERFECT, Grade.GOOD)
ENDED = (State.DONE, State.PARTLY)


@laws
@given(pairs())
def test_whatever_servers_do_each_message_stands_there_or_is_told(pair: Pair) -> None:
    with moving(pair.old.listen(), pair.new.listen()) as move:
        world = World(move)
        world.one_pass()
        if pair.passes > 1:
            for name, mails in pair.later.items():
                move.old.folders[name].add(*mails)
            world.one_pass()
        verdict = judged(move)
    event(f"{world.report.state.value}, {verdict.grade.value if verdict else 'no verdict'}")
    for line in world.report.plan.mapped:
        world.assert_told(line, verdict)
    if verdict and verdict.grade in WELL and world.report.state is State.DONE and not world.report.refusals:
        world.assert_whole(verdict)


def judged(move: MailMove) -> Verification | None:
    """None where a side could not be read, and then there is no verdict."""
    try:
        return move.verify()
    except MailError:
        return None


class World:
    """Both servers; ``before``: what stood on the target; ``report`` of the last pass."""

    report: MailboxReport

    def __init__(self, move: MailMove) -> None:
        self.move = move
        self.before = {name: bodies(folder.mails) for name, folder in move.new.folders.items()}
        self.notes: dict[str, list[str]] = {}
        self.forgets = any(isinstance(odd, NewUidvalidity) for odd in move.new.oddities)
        self.lies = any(isinstance(odd, Drops) for odd in move.new.oddities)

    def one_pass(self) -> None:
        """The numbers add up, and nothing stands where it does not belong, however the pass ended."""
        old, new = self.move.old.folders, self.move.new.folders
        self.report = self.move.copy()
        assert balanced(self.report), self.report.accounts
        for account in self.report.accounts:
            self.notes.setdefault(account.folder, []).extend(account.notes)
        target: dict[bytes, bytes] = {}
        for line in self.report.plan.mapped:
            if (name := self.move.new.find(line.raw)) is not None:
                assert name not in target, f"{line.source.raw!r} and {target[name]!r} both go to {name!r}"
                target[name] = line.source.raw
        for name, folder in new.items():
            own = bodies(old[target[name]].mails) if name in target else Counter[bytes]()
            stray = bodies(folder.mails) - own - self.before.get(name, Counter())
            if self.forgets:  # it may come twice, where the target can neither number nor show what it holds
                stray = Counter({body: times for body, times in stray.items() if body not in own})
            assert not stray, f"{stray} in {name!r} does not belong there"

    def missing(self, line: Mapped) -> Counter[bytes]:
        """What the source's folder holds and the target's does not."""
        name = self.move.new.find(line.raw)
        there = bodies(self.move.new.folders[name].mails) if name is not None else Counter[bytes]()
        came = there - self.before.get(name or b"", Counter())
        return bodies(self.move.old.folders[line.source.raw].mails) - came

    def assert_told(self, line: Mapped, verdict: Verification | None) -> None:
        """Each message that is missing is refused or waiting, or its folder is told, or the pass has not ended."""
        missing, title = self.missing(line).total(), line.source.title
        if not missing or self.report.state not in ENDED:
            return
        tallies = [account.tally for account in self.report.accounts if account.folder == title]
        counted = sum(tally.refused + tally.waiting + tally.vanished + tally.excluded for tally in tallies)
        of_folder = [refusal for refusal in self.report.refusals if refusal.folder == title]
        told = counted >= missing or any(not refusal.uid for refusal in of_folder) or len(of_folder) >= missing
        judged_so = self.lies and (verdict is None or verdict.grade not in WELL)  # a lie is seen by looking anew
        assert told or judged_so, f"{missing} of {line.source.raw!r} are missing and nobody says so: {self.report}"

    def assert_whole(self, verdict: Verification) -> None:
        """Every message of every selectable folder stands there with its text, flags and date."""
        lines = {line.source.raw: line for line in self.report.plan.mapped}
        for raw, folder in self.move.old.folders.items():
            if not folder.mails:
                continue
            assert raw in lines, f"{raw!r} is not looked at: {self.report.plan}"
            line = lines[raw]
            missing = self.missing(line)
            assert not missing, f"{missing} of {raw!r} are missing, and the judge is content: {verdict}"
            name = self.move.new.find(line.raw)
            if name is not None:
                excused = {d.kind for d in verdict.differences if d.explained and line.source.title in d.folder}
                noted = bool(self.notes.get(line.source.title))
                look = Look(
                    dates=not noted and Kind.DATE not in excused, keywords=not noted and Kind.FLAGS not in excused
                )
                lost = look.at(folder) - look.at(self.move.new.folders[name])
                assert not lost, f"flags or dates of {raw!r} are lost, and nobody says so: {lost} {verdict}"


def bodies(mails: Iterable[Mail]) -> Counter[bytes]:
    """The texts, with how often each is there."""
    return Counter(mail.body for mail in mails)


class Look(NamedTuple):
    """What people see of a message; not its date, or not its keywords, where it was told that they differ."""

    dates: bool
    keywords: bool

    def at(self, folder: Folder) -> Counter[tuple[bytes, frozenset[str], int | None]]:
        """All messages of a folder."""
        return Counter(
            (
                mail.body,
                frozenset(flag for flag in mail.flags.split() if self.keywords or flag.startswith("\\")),
                seconds(mail.date) if self.dates else None,
            )
            for mail in folder.mails
        )
