"""Messages of folders as rows: one burst of EXAMINE and FETCH for many folders at once.

EXAMINE and BODY.PEEK only: nothing here can change a flag on the server that is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import CommandRefused
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.identities import still_there
from reconciler.mailcopy.imap.rows import Hearing, Listed, Wanted, on_the_wire
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.standing import Watched
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.suspects import Side, Suspects

_WHOLE_ROW = b" (UID FLAGS INTERNALDATE RFC822.SIZE)"


@dataclass(frozen=True, slots=True)
class Asked:
    """Listings on the wire: nothing else that the session is told may be answered before they are heard."""

    wanted: tuple[Wanted, ...]
    tags: tuple[tuple[bytes, tuple[bytes, ...]], ...]


def list_folders(
    session: Session, wanted: Sequence[Wanted], suspects: Suspects | None = None, *, writable: bool = False
) -> list[Listed]:
    """Each folder in the order asked; all commands are sent first, so a mailbox costs one round trip.

    ``writable`` selects instead of examining, for the flags that the folder keeps. A folder under suspicion is asked
    for after the others, step by step.

    Raises:
        ConnectionCut: with what was on the wire.

    """
    watched = Watched(session, suspects or Suspects())
    apart = [n for n, want in enumerate(wanted) if watched.suspects.is_suspect(session.side, want.raw)]
    ordinary = [want for n, want in enumerate(wanted) if n not in apart]
    found = hear(session, ask(session, ordinary, writable=writable), watched.suspects, writable=writable)
    for number in apart:
        found.insert(number, _suspected(watched, wanted[number], writable=writable))
    return found


def ask(session: Session, wanted: Sequence[Wanted], *, writable: bool = False) -> Asked:
    """Send the commands of ``list_folders``; if the connection ends meanwhile, it does so at the first of them."""
    tags = []
    with on_the_wire(session, wanted[0].raw if wanted else b""):
        for want in wanted:
            opening = session.wire.command((b"SELECT " if writable else b"EXAMINE ") + quoted(want.raw))
            tags.append((opening, tuple(session.wire.command(command) for command in _fetches(session, want))))
    return Asked(tuple(wanted), tuple(tags))


def hear(session: Session, asked: Asked, suspects: Suspects, *, writable: bool = False) -> list[Listed]:
    """Read their answers; what is refused is asked for once more, with nothing sent ahead, and then in parts."""
    listed = [Hearing(session, w).until(o, *a) for w, (o, a) in zip(asked.wanted, asked.tags, strict=True)]
    for number, want in enumerate(asked.wanted):
        if not listed[number].is_whole:
            listed[number] = _alone(session, want, listed[number], suspects, writable=writable)
    return listed


def rows_of(session: Session, raw: bytes, uids: Sequence[int]) -> Sequence[Row]:
    """The rows of these messages; what is gone, or what the server refuses to tell, is not in it.

    Raises:
        ConnectionCut: with what was on the wire.

    """
    (tags,) = ask(session, [Wanted(raw, rows=False)]).tags
    if Hearing(session, Wanted(raw, rows=False)).until(tags[0]).words:
        return ()
    known: dict[int, Row] = {}
    for _ in _asked_again(session, raw, uids, known):
        pass
    return tuple(known.values())


def _alone(session: Session, want: Wanted, found: Listed, suspects: Suspects, *, writable: bool) -> Listed:
    was_serial = session.wire.serial
    if not was_serial:
        session.wire.serial = True
        (tags,) = ask(session, [want], writable=writable).tags
        found = Hearing(session, want).until(tags[0], *tags[1])
        if found.is_whole:
            return found  # it takes one command at a time, and gets one from now on
        session.wire.serial = was_serial
    if found.rows_refused:
        _in_parts(session, want, found, suspects)
    if found.flags_refused:
        _flags_plainly(session, want, found)
    return found


def _suspected(watched: Watched, want: Wanted, *, writable: bool) -> Listed:
    """A folder that has ended a connection: the UIDs first, then the rows of groups that are small enough."""
    if words := watched.against(want.raw):
        return Listed(want.raw, words=words)
    session = watched.session
    (tags,) = ask(session, [replace(want, rows=False)], writable=writable).tags
    found = Hearing(session, want).until(tags[0])
    if not found.words and found.messages and want.rows:
        _in_parts(session, want, found, watched.suspects)
        if want.flags_since is not None and want.first > 1:
            _flags_plainly(session, want, found)
    return found


def _in_parts(session: Session, want: Wanted, found: Listed, suspects: Suspects) -> None:
    """The rows that are missing: of all at once, of groups under suspicion, and of each message that was refused.

    The server may tell the UIDs where it tells nothing else.
    """
    try:
        here = still_there(session, want.raw)
    except CommandRefused as error:
        found.words = error.words or found.rows_refused
        return
    found.rows_refused = ""
    known = {row.uid: row for row in found.rows}
    given_up = suspects.refused.get(want.raw, {}) if session.side is Side.SOURCE else {}
    found.unlisted.update((uid, given_up[uid]) for uid in given_up.keys() & here)
    missing = [Row(uid, "", "", 0) for uid in sorted(here - given_up.keys()) if uid >= want.first and uid not in known]
    of_source = session.side is Side.SOURCE  # whose UIDs messages are suspected by
    together, groups = suspects.parted(want.raw, missing) if of_source else (missing, [])
    for group in [together, *groups]:
        for uids, words in _asked_again(session, want.raw, [row.uid for row in group], known):
            found.unlisted.update(dict.fromkeys(uids, words))
    found.rows = [known[uid] for uid in sorted(known)]


def _asked_again(
    session: Session, raw: bytes, uids: Sequence[int], known: dict[int, Row]
) -> Iterator[tuple[Sequence[int], str]]:
    """Put the rows of these into ``known``; yields those that are refused alone, with words."""
    words = ""
    for chosen in uid_set.write(uids):
        heard = Hearing(session, Wanted(raw))
        heard.opened()
        with on_the_wire(session, raw, uids):
            tag = session.wire.command(b"UID FETCH " + chosen.encode() + _WHOLE_ROW)
            for response in session.wire.until(tag):
                if isinstance(response, list):
                    heard.note(response)
                elif isinstance(response, Answer) and not response.ok:
                    words = response.words or "refused"
        known.update((row.uid, row) for row in heard.end().rows if row.uid in set(uids))
    left = [uid for uid in uids if uid not in known]
    if words and len(uids) == 1 and left:
        yield left, words
    elif words:
        for uid in left:
            yield from _asked_again(session, raw, [uid], known)


def _flags_plainly(session: Session, want: Wanted, found: Listed) -> None:
    """All flags below ``first``, without the condition that the server announces and does not understand."""
    heard = Hearing(session, replace(want, first=want.first))
    heard.opened()
    found.flags_refused = ""
    with on_the_wire(session, want.raw):
        tag = session.wire.command(b"UID FETCH 1:%d (UID FLAGS)" % (want.first - 1))
        for response in session.wire.until(tag):
            if isinstance(response, list):
                heard.note(response)
            elif isinstance(response, Answer) and not response.ok:
                found.flags_refused = response.words or "refused"
    found.flags.update(heard.end().flags)


def _fetches(session: Session, want: Wanted) -> list[bytes]:
    if not want.rows:
        return []
    commands = [b"UID FETCH %d:*" % want.first + _WHOLE_ROW]
    if want.flags_since is not None and want.first > 1:
        known = b"UID FETCH 1:%d (UID FLAGS)" % (want.first - 1)
        condition = b" (CHANGEDSINCE %d)" % want.flags_since
        commands.append(known + (condition if want.flags_since and session.can("CONDSTORE") else b""))
    return commands
