"""Flags that the user changed on the source, carried to copies that stand on the target."""

from collections import defaultdict
from collections.abc import Iterable

from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.flags import Allowed, FlagChange, storable

_AT_ONCE = 16
"""STORE commands ahead of their answers: silent ones, so the answers are short."""


def carry(session: Session, raw: bytes, allowed: Allowed, changes: Iterable[tuple[int, FlagChange]]) -> str:
    """Add and take away, by target UID; no mark of deletion is ever added (reconciler.mailcopy.model.flags.follow).

    Gives the server's words if it refuses any of it. A message that the user removed on the target has no flags to
    set, and the server passes over it.
    """
    groups: dict[tuple[bytes, str], list[int]] = defaultdict(list)
    for uid, change in changes:
        for sign, flags in ((b"+", change.add), (b"-", change.remove)):
            if kept := storable(flags, allowed):
                groups[sign, kept].append(uid)
    commands = [
        b"UID STORE " + chosen.encode() + b" " + sign + b"FLAGS.SILENT (" + flags.encode("ascii") + b")"
        for (sign, flags), uids in groups.items()
        for chosen in uid_set.write(uids)
    ]
    words = ""
    for start in range(0, len(commands), _AT_ONCE):
        opening = session.wire.command(b"SELECT " + quoted(raw))
        stores = [session.wire.command(command) for command in commands[start : start + _AT_ONCE]]
        for response in session.wire.until(opening, *stores):
            if isinstance(response, Answer) and not response.ok:
                words = words or response.words
    return words
