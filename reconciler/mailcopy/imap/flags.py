"""Flags that the user changed on the source, carried to copies that stand on the target."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.rows import on_the_wire
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import uid_set
from reconciler.mailcopy.model.flags import Allowed, FlagChange, keywords, storable

_AT_ONCE = 16
"""STORE commands ahead of their answers: silent ones, so the answers are short."""


_ABOUT_KEYWORDS = re.compile(r"\[LIMIT\]|too many|keyword|user flag", re.IGNORECASE)
"""Words against keywords: the folder has as many as it can hold."""


class Refused(NamedTuple):
    """The server's words; empty where it took all. ``keywords``: only keywords were left off."""

    words: str = ""
    keywords: str = ""


def carry(session: Session, raw: bytes, allowed: Allowed, changes: Iterable[tuple[int, FlagChange]]) -> Refused:
    """Add and take away, by target UID; no mark of deletion is ever added (reconciler.mailcopy.model.flags.follow).

    A message that the user removed on the target has no flags to set, and the server passes over it. A keyword that
    the folder does not take keeps back no other flag. Nothing is said before the folder is open: a server may keep the
    one before open where it refuses.
    """
    groups: dict[tuple[bytes, str], list[int]] = defaultdict(list)
    for uid, change in changes:
        for sign, flags in ((b"+", change.add), (b"-", change.remove)):
            if kept := storable(flags, allowed):
                groups[sign, kept].append(uid)
    if not groups:
        return Refused()
    with on_the_wire(session, raw):
        if words := _told(session, [b"SELECT " + quoted(raw)]).get(0):
            return Refused(words)
        asked = list(groups)
        refused = _store(session, [(key, groups[key]) for key in asked])
        with_keywords = {
            key: said for key, said in refused.items() if keywords(key[1]) and _ABOUT_KEYWORDS.search(said)
        }
        plain = [((sign, _plain(flags)), groups[sign, flags]) for sign, flags in with_keywords if _plain(flags)]
        left = {key: said for key, said in refused.items() if key not in with_keywords} | _store(session, plain)
    return Refused(next(iter(left.values()), ""), next(iter(with_keywords.values()), ""))


_Key = tuple[bytes, str]


def _store(session: Session, wanted: Sequence[tuple[_Key, Sequence[int]]]) -> dict[_Key, str]:
    """The words against those that the server refuses."""
    commands = [
        (key, b"UID STORE %s %sFLAGS.SILENT (%s)" % (chosen.encode(), key[0], key[1].encode("ascii")))
        for key, uids in wanted
        for chosen in uid_set.write(uids)
    ]
    refused: dict[_Key, str] = {}
    for start in range(0, len(commands), _AT_ONCE):
        few = commands[start : start + _AT_ONCE]
        for number, words in _told(session, [command for _, command in few]).items():
            refused.setdefault(few[number][0], words)
    return refused


def _told(session: Session, commands: Sequence[bytes]) -> dict[int, str]:
    """The words against those that are refused, by their number."""
    tags = {session.wire.command(command): number for number, command in enumerate(commands)}
    refused: dict[int, str] = {}
    for response in session.wire.until(*tags):
        if isinstance(response, Answer) and not response.ok and response.tag in tags:
            refused[tags[response.tag]] = response.words or "refused"
    return refused


def _plain(flags: str) -> str:
    return " ".join(flag for flag in flags.split() if flag.startswith("\\"))
