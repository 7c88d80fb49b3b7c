"""Gmail's labels: a message that is shown in several folders is copied from one of them, and stays copied from there.

What is shown where is noted in the ledger, so that a message which gets or loses labels between two passes is neither
copied twice nor left to a folder that it has gone from.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.grammar import Token, quoted, tokens
from reconciler.mailcopy.imap.rows import Listed
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.survey import Survey
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.gmail import CAPABILITY, Homes, Shown, places
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.mapping import FolderPlan, FolderRules
from reconciler.mailcopy.model.message import Row

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger

_ITEMS = b" (UID X-GM-MSGID X-GM-LABELS)"


def folder_rules(source: Session, here: Survey, there: Survey, rules: FolderRules) -> FolderRules:
    """The spec's rules, and what is usual for the product that the source is."""
    return replace(rules, usual=places(here.folders, there.folders)) if source.can(CAPABILITY) else rules


def read_labels(session: Session, raw: bytes, uids: Collection[int]) -> Mapping[int, Shown]:
    """What Gmail shows these messages as; one that vanished is not in it.

    Raises:
        CommandRefused: it does not tell.

    """
    found: dict[int, Shown] = {}
    if not uids:
        return found
    opening = session.wire.command(b"EXAMINE " + quoted(raw))
    for response in session.wire.until(opening):
        if isinstance(response, Answer) and not response.ok:
            raise CommandRefused(f"{session.server} does not open a folder: {response.words}", response.words)
    for chosen in uid_set.write(uids):
        tag = session.wire.command(b"UID FETCH " + chosen.encode() + _ITEMS)
        for response in session.wire.until(tag):
            if isinstance(response, list):
                found.update(_shown(response))
            elif isinstance(response, Answer) and not response.ok:  # copied without its labels it would be copied twice
                raise CommandRefused(f"{session.server} does not show labels: {response.words}", response.words)
    return found


def mark_importance(listed: Listed, shown: Mapping[int, Shown]) -> None:
    """Gmail tells importance by a label, others by a keyword."""
    important = {uid for uid, each in shown.items() if b"\\important" in each.labels}
    listed.rows = [
        row._replace(flags=shown[row.uid].flags(row.flags)) if row.uid in important else row for row in listed.rows
    ]
    listed.flags.update({uid: shown[uid].flags(listed.flags[uid]) for uid in important & listed.flags.keys()})


@dataclass(slots=True)
class Labels:
    """Decides, for one pass over one mailbox; ``standing`` is where the target's folders stand, by raw name."""

    source: Session
    ledger: "MailLedger"
    key: CopyKey
    homes: Homes
    standing: Mapping[bytes, Status]
    _claimed: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: Session,
        ledger: "MailLedger",
        key: CopyKey,
        plan: FolderPlan,
        standing: Mapping[bytes, Status],
        *,
        every: bool,
    ) -> "Labels | None":
        """None where the source has no labels. What an earlier pass left to a folder that did not give it is freed."""
        if not source.can(CAPABILITY):
            return None
        labels = cls(source, ledger, key, Homes.of(plan, every=every), standing)
        labels._free_stranded(plan)
        return labels

    def look(self, folder: Folder, number: int, listed: Listed, rows: Sequence[Row]) -> Mapping[int, str]:
        """Mark what is important in the folder, and say why some of its new ``rows`` are not copied from it."""
        shown = read_labels(self.source, folder.raw, {row.uid for row in listed.rows} | listed.flags.keys())
        mark_importance(listed, shown)
        if self.homes.alone(folder):
            return {}
        here = {row.uid: shown[row.uid] for row in rows if row.uid in shown}
        states = self._valid()
        own = {number} if self.homes.every and folder in self.homes.by_label.values() else {*states, number}
        come = self.ledger.homes(own, {each.message for each in here.values()})
        noted, why_not = {}, {}
        for uid, each in here.items():
            noted[uid] = each.message
            if each.message in come:
                was = states.get(come[each.message], folder.raw)
                why_not[uid] = "copied before" if was == folder.raw else f"copied from {self._title(was)}"
                continue
            home = self.homes.choose(folder, each.labels)
            if isinstance(home, str):
                why_not[uid] = home
                del noted[uid]
                continue
            claimed = home.raw if self.homes.every else self._claimed.setdefault(each.message, home.raw)
            if claimed != folder.raw:
                why_not[uid] = f"shown in {self._title(claimed)} too, and copied from there"
        self.ledger.note_shown(number, noted)
        return why_not

    def _free_stranded(self, plan: FolderPlan) -> None:
        states = self._valid()
        own = {line.source.raw: line.source for line in plan.mapped}
        labelled = {n for n, raw in states.items() if raw in own and own[raw] in self.homes.by_label.values()}
        if self.homes.every:
            for number in labelled:
                self.ledger.forget_stranded({number}, {number})
            self.ledger.forget_stranded(states.keys() - labelled, states.keys())
        else:
            self.ledger.forget_stranded(states.keys(), states.keys())

    def _valid(self) -> dict[int, bytes]:
        """The folders, by number, whose copies stand on the target still; to their raw names on the source."""
        return {
            state.number: raw
            for raw, state in self.ledger.folders(self.key).items()
            if (status := self.standing.get(state.target)) and status.uidvalidity == state.target_uidvalidity
        }

    def _title(self, raw: bytes) -> str:
        named = {folder.raw: folder.title for folder in self.homes.by_label.values()}
        return named.get(raw, raw.decode("ascii", "replace"))


def _shown(parts: list[bytes]) -> Iterator[tuple[int, Shown]]:
    found = tokens(parts)
    if len(found) < 4 or found[2] != b"FETCH" or not isinstance(items := found[3], list):  # noqa: PLR2004 - * N FETCH (
        return
    told = {_upper(name): value for name, value in zip(items[::2], items[1::2], strict=False)}
    uid, message, labels = told.get(b"UID"), told.get(b"X-GM-MSGID"), told.get(b"X-GM-LABELS")
    if isinstance(uid, bytes) and isinstance(message, bytes) and isinstance(labels, list) and uid.isdigit():
        names = (label for label in labels if isinstance(label, bytes))
        yield (
            int(uid),
            Shown(
                message.decode("ascii", "replace"),
                frozenset(name.lower() if name.startswith(b"\\") else name for name in names),
            ),
        )


def _upper(name: Token) -> bytes:
    return name.upper() if isinstance(name, bytes) else b""
