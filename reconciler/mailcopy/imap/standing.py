"""Where folders stand: by STATUS, all on the wire at once, and by EXAMINE where that tells too little."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.errors import ConnectionCut, ProtocolBroken
from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.rows import Hearing, Wanted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer, Parts
from reconciler.mailcopy.model.suspects import Spot, Suspects

_AT_ONCE = 200
"""STATUS commands ahead of their answers: both directions fit in the kernel's buffers."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A connection, and what is suspected of its folders: these are asked for after the others, and alone."""

    session: Session
    suspects: Suspects = field(default_factory=Suspects)

    def in_order(self, raws: Iterable[bytes], at_once: int) -> Sequence[Sequence[bytes]]:
        """The folders in groups that go together; those that are left alone are in none."""
        allowed = [raw for raw in raws if not self.against(raw)]
        free = [raw for raw in allowed if not self.suspects.is_suspect(self.session.side, raw)]
        groups = [free[start : start + at_once] for start in range(0, len(free), at_once)]
        return [*groups, *([raw] for raw in allowed if self.suspects.is_suspect(self.session.side, raw))]

    def against(self, raw: bytes) -> str:
        """Why the folder is left alone; empty if it is not."""
        return self.suspects.against(self.session.side, raw)


def stand(watched: Watched, raws: Sequence[bytes], listing: Listing) -> Mapping[bytes, str]:
    """Ask where each folder stands; gives the server's words against those that cannot be looked at.

    Raises:
        ConnectionCut: with the folder that was on the wire.

    """
    session = watched.session
    items = status_items(session)
    free = [raw for raw in raws if not watched.suspects.is_suspect(session.side, raw)]
    ask_for(watched, free, lambda raw: b"STATUS " + quoted(raw) + b" " + items, listing.note)
    words = {raw: said for raw in raws if (said := watched.against(raw))}
    for group in watched.in_order([raw for raw in raws if raw not in listing.status], 1):
        for raw in group:
            found = Hearing(session, Wanted(raw, rows=False)).until(session.wire.command(b"EXAMINE " + quoted(raw)))
            if found.words:
                words[raw] = found.words
            else:
                listing.status[raw] = Status(found.messages, found.uidnext, found.uidvalidity, found.modseq)
    return words


def ask_for(
    watched: Watched,
    raws: Iterable[bytes],
    command: Callable[[bytes], bytes],
    note: Callable[[Parts], None],
) -> dict[bytes, str]:
    """Send a command for each folder; gives the words against those that the server refuses.

    ``note`` hears of every response.

    Raises:
        ConnectionCut: with the first folder that was not answered for.

    """
    words: dict[bytes, str] = {}
    for group in watched.in_order(raws, _AT_ONCE):
        asked: dict[bytes, bytes] = {}
        try:
            for raw in group:
                asked[watched.session.wire.command(command(raw))] = raw
            for response in watched.session.wire.until(*asked):
                if isinstance(response, Answer) and response.tag in asked:
                    raw = asked.pop(response.tag)
                    if not response.ok:
                        words[raw] = response.words or "refused"
                elif isinstance(response, list):
                    note(response)
        except (ConnectionCut, ProtocolBroken) as error:
            error.spot = Spot(watched.session.side, next(iter(asked.values()), group[0]))
            raise
    return words


def status_items(session: Session) -> bytes:
    """What is asked of each folder."""
    return b"(MESSAGES UIDNEXT UIDVALIDITY" + (b" HIGHESTMODSEQ)" if session.can("CONDSTORE") else b")")
