"""Flags that the user changed on the source, carried to copies that stand on the target."""

from collections import defaultdict
from collections.abc import Iterable

from reconciler.backends.mail._grammar import quoted
from reconciler.backends.mail.session import Session
from reconciler.model.mail import uid_set
from reconciler.model.mail.flags import Allowed, FlagChange, storable


def carry(session: Session, raw: bytes, allowed: Allowed, changes: Iterable[tuple[int, FlagChange]]) -> None:
    """Add and take away, by target UID; no mark of deletion is ever added (reconciler.model.mail.flags.follow).

    A message that the user removed on the target has no flags to set, and the server passes over it.
    """
    groups: dict[tuple[bytes, str], list[int]] = defaultdict(list)
    for uid, change in changes:
        for sign, flags in ((b"+", change.add), (b"-", change.remove)):
            if kept := storable(flags, allowed):
                groups[sign, kept].append(uid)
    if not groups:
        return
    session.wire.command(b"SELECT " + quoted(raw))
    for (sign, flags), uids in groups.items():
        for chosen in uid_set.write(uids):
            session.wire.ask(
                b"UID STORE " + chosen.encode() + b" " + sign + b"FLAGS.SILENT (" + flags.encode("ascii") + b")"
            )
