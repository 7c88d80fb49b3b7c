"""Why a message of the source need not be on the target, or not as it is: what the copier has said in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.mailcopy.judge.reading import Contents
from reconciler.mailcopy.model.accounting import Fate
from reconciler.mailcopy.model.judging import LATER
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.ports import MailLedger


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Of one folder of the source; ``number`` is the ledger's, 0 where it does not know the folder as it is now.

    ``known``: by UID, what the ledger says of those that were not copied; ``told``: of those that were, what was left
    off. ``seen``: UIDs from this one on were given after the last pass had looked; 0 where that is not certain.
    """

    number: int = 0
    known: Mapping[int, str] = field(default_factory=dict)
    told: Mapping[int, str] = field(default_factory=dict)
    seen: int = 0

    def why(self, uid: int) -> str:
        """Nothing where it must be there."""
        return self.known.get(uid, "") or (LATER if 0 < self.seen <= uid else "")


def left_out(ledger: MailLedger, state: FolderState | None, contents: Contents) -> LeftOut:
    """What the ledger knows of a folder that was read.

    Its UIDs say nothing under another UIDVALIDITY. That a message came later is believed where the pass accounted for
    all that the server held, and where the server gives UIDs as it announces them (UIDNEXT, RFC 3501, section 2.3.1.1).
    """
    if state is None or contents.uidvalidity not in {0, state.source_uidvalidity}:
        return LeftOut()
    fates = ledger.counts(state.number).fates
    records = ledger.records(state.number).values() if fates.keys() - {Fate.COPIED} else ()
    known = {r.uid: f"{r.fate.value}: {r.words}" for r in records if r.fate is not Fate.COPIED}
    is_whole = state.copied + state.excluded + state.refused >= state.messages
    seen = state.uidnext if is_whole and contents.counts_uids and state.uidnext > 1 else 0
    return LeftOut(state.number, known, ledger.told(state.number), seen)
