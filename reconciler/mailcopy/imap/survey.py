"""What folders a mailbox has and where each of them stands, in one burst of commands.

With LIST-STATUS (RFC 5819) that is one round trip for a whole mailbox; without, a LIST, an LSUB and then all the
STATUS commands at once. What a server announces and does not do is asked for again in plainer words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import MailboxSuspect
from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.standing import Watched, stand, status_items
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.folder import Folder, Namespace
from reconciler.mailcopy.model.suspects import Suspects

LIST_ITSELF = "(the list of folders)"
"""Where people look for a folder's title, when the server did not list all of them."""

_ID = b'ID ("name" "reconciler")'
_DEEPEST = 20
"""Levels of folders that are walked where the server does not list them all at once."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A mailbox. ``status`` by the folder's raw name; ``refusals``: folders that could not be looked at.

    ``notes``: what is not known beside that, though no mail is missing by it. ``is_marked``: it was looked at which
    folders hold no mail of their own.
    """

    namespace: Namespace
    folders: tuple[Folder, ...]
    status: Mapping[bytes, Status]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()
    is_marked: bool = False

    @property
    def messages(self) -> int:
        """In all folders."""
        return sum(status.messages for status in self.status.values())


def survey(session: Session, suspects: Suspects | None = None) -> Survey:
    """The user's own folders; other users' and shared ones belong to no single mailbox and are left out.

    ``suspects`` remember the folders that have ended a connection.

    Raises:
        MailboxSuspect: no folder can be opened, or an administrator's login cannot open INBOX.
        ConnectionCut: with the folder that was on the wire.

    """
    watched = Watched(session, suspects or Suspects())
    if session.can("ID"):  # some servers open no folder to who has not said it
        session.wire.aside(_ID)
    listing, refused, notes = _listing(session)
    namespace = listing.namespace()
    folders, unnamed = listing.folders(namespace)
    own = {folder.raw: folder for folder in folders if folder.selectable}
    words = dict(stand(watched, [raw for raw in own if raw not in listing.status], listing))
    if b"INBOX" not in listing.status:
        words |= _once_more(watched, listing, own)
    if b"INBOX" not in listing.status and (session.is_admin or not listing.status):
        raise _no_inbox(session, words.get(b"INBOX", "it is not listed"))
    refusals = [Refusal(LIST_ITSELF, 0, refused)] if refused else []
    refusals += [Refusal(raw.decode("ascii", "backslashreplace"), 0, why) for raw, why in unnamed.items()]
    refusals += [Refusal(own[raw].title, 0, said) for raw, said in words.items() if raw not in listing.status]
    status = {raw: found for raw, found in listing.status.items() if raw in own}
    return Survey(namespace, folders, status, tuple(refusals), tuple(notes))


def expect_mail(found: Survey, session: Session) -> None:
    """An administrator's login that sees no message at all is believed only when the spec says that it may be so.

    Raises:
        MailboxSuspect: there is none.

    """
    if session.is_admin and not found.messages:
        raise MailboxSuspect(
            f"{session.user} on {session.server} holds no message in any folder, seen with an administrator's login; "
            "if that is right, allow this mailbox to be empty, else give the login its rights"
        )


def _once_more(watched: Watched, listing: Listing, own: dict[bytes, Folder]) -> Mapping[bytes, str]:
    """INBOX exists though no list shows it (RFC 3501, section 5.1), and may want to know first who asks."""
    if b"INBOX" not in own:
        own[b"INBOX"] = Folder.of(listing.namespace(), b"INBOX")
    watched.session.wire.aside(_ID)
    return stand(watched, [raw for raw in own if raw not in listing.status], listing)


def _no_inbox(session: Session, words: str) -> MailboxSuspect:
    advice = (
        " An administrator's login may lack the rights (Dovecot with acl wants master_user=%u in its userdb)."
        if session.is_admin
        else ""
    )
    return MailboxSuspect(
        f"INBOX of {session.user} on {session.server} cannot be opened: {words}.{advice} Nothing was copied, for the "
        "mailbox only looks empty"
    )


def _listing(session: Session) -> tuple[Listing, str, list[str]]:
    """All that is listed; the words if the list is not whole, and what is not known of subscriptions."""
    listing = Listing()
    commands = {b"NAMESPACE": b"NAMESPACE"} if session.can("NAMESPACE") else {}
    extended = session.can("LIST-STATUS") and session.can("LIST-EXTENDED")
    if extended:
        use = b" SPECIAL-USE" if session.can("SPECIAL-USE") else b""
        commands[b"LIST"] = b'LIST "" "*" RETURN (SUBSCRIBED' + use + b" STATUS " + status_items(session) + b")"
    else:
        commands |= {b"LIST": b'LIST "" "*"', b"LSUB": b'LSUB "" "*"'}
    words = _told(session, listing, commands)
    if extended and b"LIST" in words:
        words |= _told(session, listing, {b"LIST": b'LIST "" "*"', b"LSUB": b'LSUB "" "*"'}, words)
    alone = {name: command for name, command in commands.items() if name in words and not extended}
    for name, command in alone.items():  # a server may refuse only what is sent ahead of an answer
        if not _told(session, listing, {name: command}, words):
            session.wire.serial = True
    refused = words.get(b"LIST", "")
    if refused and not _walk(session, listing):
        refused = ""
    notes = []
    if said := words.get(b"LSUB"):
        notes.append(f"which folders are subscribed is not known, so none is on the other side: {said}")
    return listing, refused, notes


def _told(
    session: Session, listing: Listing, commands: Mapping[bytes, bytes], words: dict[bytes, str] | None = None
) -> dict[bytes, str]:
    """Ask; gives the words of the refused ones, and takes those that are answered now out of ``words``."""
    tags = {session.wire.command(command): name for name, command in commands.items()}
    refused: dict[bytes, str] = {}
    for response in session.wire.until(*tags):
        if isinstance(response, list):
            listing.note(response)
        elif isinstance(response, Answer) and response.tag in tags:
            name = tags[response.tag]
            if not response.ok:
                refused[name] = response.words
            elif words is not None:
                words.pop(name, None)
    return refused


def _walk(session: Session, listing: Listing) -> bool:
    """List level by level what the server would not list at once; True if some of that is refused as well."""
    seen: set[bytes] = set()
    refused = False
    level: Sequence[bytes] = [b""]
    for _ in range(_DEEPEST):
        commands = {prefix: b'LIST "" ' + quoted(prefix + b"%") for prefix in level}
        refused = bool(_told(session, listing, commands)) or refused
        seen.update(level)
        below = (raw + cut.encode() for raw, cut in listing.separators.items() if cut and _may_have(listing, raw))
        level = [prefix for prefix in below if prefix not in seen]
        if not level:
            return refused
    return True


def _may_have(listing: Listing, raw: bytes) -> bool:
    """Whether there may be folders below."""
    return not listing.attributes[raw] & {"\\noinferiors", "\\hasnochildren"}
