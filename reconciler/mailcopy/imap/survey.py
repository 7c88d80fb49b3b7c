"""What folders a mailbox has and where each of them stands, in one burst of commands.

With LIST-STATUS (RFC 5819) that is one round trip for a whole mailbox; without, a LIST, an LSUB and then all the
STATUS commands at once. What a server announces and does not do is asked for again in plainer words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ConnectionCut, MailboxSuspect, ProtocolBroken
from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.standing import Watched, stand, status_items
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.folder import Folder, Namespace, distinct
from reconciler.mailcopy.model.suspects import Spot, Suspects

LIST_ITSELF = "(the list of folders)"
"""Where people look for a folder's title, when the server did not list all of them."""

_ID = b'ID ("name" "reconciler")'
_EXTENDED = b"LIST RETURN"
_COMMAND = b"\r\n"
"""In front of a command's name it stands for no folder, where evidence about folders is kept."""

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
    listing, refused, notes = _listing(watched)
    listing.attributes.setdefault(b"INBOX", set())  # it exists though no list shows it (RFC 3501, section 5.1)
    listing.separators.setdefault(b"INBOX", "")
    namespace = listing.namespace()
    folders, unnamed = listing.folders(namespace)
    own = {folder.raw: folder for folder in folders if folder.selectable}
    words = dict(stand(watched, [raw for raw in own if raw not in listing.status], listing))
    if b"INBOX" not in listing.status and not watched.against(b"INBOX"):
        session.wire.aside(_ID)  # it may want to know first who asks, and not say so
        words |= stand(watched, [raw for raw in own if raw not in listing.status], listing)
    if b"INBOX" not in listing.status and (session.is_admin or not listing.status):
        raise _no_inbox(session, words.get(b"INBOX", "it is not listed"))
    refusals = [Refusal(LIST_ITSELF, 0, refused)] if refused else []
    refusals += [Refusal(raw.decode("ascii", "backslashreplace"), 0, why) for raw, why in unnamed.items()]
    refusals += [Refusal(own[raw].title, 0, said) for raw, said in words.items() if raw not in listing.status]
    status = {raw: found for raw, found in listing.status.items() if raw in own}
    return Survey(namespace, folders, status, tuple(refusals), tuple(notes))


def below(found: Survey, prefix: str) -> Survey:
    """The same mailbox, with the user's folders taken to be below ``prefix``."""
    namespace = replace(found.namespace, prefix=prefix)
    folders = distinct(
        (replace(each, path=namespace.path(utf7.readable(each.raw))) for each in found.folders), namespace
    )
    return replace(found, namespace=namespace, folders=folders)


def as_target(found: Survey) -> Survey:
    """A target that does not say where it keeps folders: what stands there says nothing, for we may have made it.

    One that wants a prefix refuses names without it.
    """
    return found if found.namespace.told or not found.namespace.prefix else below(found, "")


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


def _listing(watched: Watched) -> tuple[Listing, str, list[str]]:
    """All that is listed; the words if the list is not whole, and what is not known of subscriptions."""
    session, listing = watched.session, Listing()
    commands = {b"ID": _ID} if session.can("ID") else {}  # some servers open no folder to who has not said it
    commands |= {b"NAMESPACE": b"NAMESPACE"} if session.can("NAMESPACE") else {}
    plain = {b"LIST": b'LIST "" "*"', b"LSUB": b'LSUB "" "*"'}
    if session.can("LIST-STATUS") and session.can("LIST-EXTENDED"):
        use = b" SPECIAL-USE" if session.can("SPECIAL-USE") else b""
        commands[_EXTENDED] = b'LIST "" "*" RETURN (SUBSCRIBED' + use + b" STATUS " + status_items(session) + b")"
    else:
        commands |= plain
    words = _told(watched, listing, commands)
    words.pop(b"ID", None)
    again = plain if _EXTENDED in words else {name: commands[name] for name in words}
    for name, command in again.items():  # plainer, and alone: a server may refuse only what is sent ahead of an answer
        said = _told(watched, listing, {name: command})
        session.wire.serial = session.wire.serial or (name in words and not said)
        words = {each: why for each, why in words.items() if each != name} | said
    refused = words.get(b"LIST", "")
    if refused and not _walk(watched, listing):
        refused = ""
    notes = []
    if said_of_subscriptions := words.get(b"LSUB"):
        notes.append(f"which folders are subscribed is not known, so none is subscribed there: {said_of_subscriptions}")
    return listing, refused, notes


def _told(watched: Watched, listing: Listing, commands: Mapping[bytes, bytes]) -> dict[bytes, str]:
    """Ask; gives the words of the refused ones. What has ended the connection is asked for alone, and twice at most.

    Raises:
        ConnectionCut: with the command that was on the wire, in place of a folder.

    """
    session = watched.session
    refused: dict[bytes, str] = {}
    named = {_COMMAND + name: name for name in commands}
    for group in watched.in_order(named, len(named)):
        due = {session.wire.command(commands[named[each]]): each for each in group}
        try:
            for response in session.wire.until(*due):
                if isinstance(response, list):
                    listing.note(response)
                elif isinstance(response, Answer) and response.tag in due:
                    each = due.pop(response.tag)
                    if not response.ok:
                        refused[named[each]] = response.words or "refused"
        except (ConnectionCut, ProtocolBroken) as error:
            error.spot = Spot(session.side, next(iter(due.values()), group[0]))
            raise
    return refused | {named[each]: said for each in named if (said := watched.against(each))}


def _walk(watched: Watched, listing: Listing) -> bool:
    """List level by level what the server would not list at once; True if some of that is refused as well."""
    seen: set[bytes] = set()
    refused = False
    level: Sequence[bytes] = [b""]
    for _ in range(_DEEPEST):
        commands = {prefix: b'LIST "" ' + quoted(prefix + b"%") for prefix in level}
        refused = bool(_told(watched, listing, commands)) or refused
        seen.update(level)
        below = (raw + cut.encode() for raw, cut in listing.separators.items() if cut and _may_have(listing, raw))
        level = [prefix for prefix in below if prefix not in seen]
        if not level:
            return refused
    return True


def _may_have(listing: Listing, raw: bytes) -> bool:
    """Whether there may be folders below."""
    return not listing.attributes[raw] & {"\\noinferiors", "\\hasnochildren"}
