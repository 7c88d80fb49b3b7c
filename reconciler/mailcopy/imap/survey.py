"""What folders a mailbox has and where each of them stands, in one burst of commands.

With LIST-STATUS (RFC 5819) that is one round trip for a whole mailbox; without, a LIST, an LSUB and then all the
STATUS commands at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import MailboxSuspect
from reconciler.mailcopy.imap.folder_lists import Listing, Status
from reconciler.mailcopy.imap.grammar import quoted
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.folder import Folder, Namespace

_AT_ONCE = 200
"""STATUS commands ahead of their answers: both directions fit in the kernel's buffers."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A mailbox. ``status`` by the folder's raw name; ``refusals``: folders that could not be looked at."""

    namespace: Namespace
    folders: tuple[Folder, ...]
    status: Mapping[bytes, Status]
    refusals: tuple[Refusal, ...]

    @property
    def messages(self) -> int:
        """In all folders."""
        return sum(status.messages for status in self.status.values())


def survey(session: Session) -> Survey:
    """The user's own folders; other users' and shared ones belong to no single mailbox and are left out.

    Raises:
        MailboxSuspect: INBOX cannot be opened, which no mailbox in order shows.

    """
    listing = _listing(session)
    namespace = listing.namespace()
    folders, refusals = [], []
    for raw, attributes in listing.attributes.items():
        try:
            folder = Folder.of(namespace, raw, attributes, subscribed=raw in listing.subscribed)
        except ValueError as error:
            refusals.append(Refusal(raw.decode("ascii", "backslashreplace"), 0, str(error)))
            continue
        if not namespace.is_foreign(raw.decode("ascii")):
            folders.append(folder)
    own = {folder.raw: folder for folder in folders if folder.selectable}
    words = statuses(session, listing, [raw for raw in own if raw not in listing.status])
    if b"INBOX" not in listing.status:
        raise MailboxSuspect(
            f"INBOX of {session.user} on {session.server} cannot be opened: {words.get(b'INBOX', 'it is not listed')}. "
            "An administrator's login may lack the rights (Dovecot with acl wants master_user=%u in its userdb); "
            "nothing was copied, for the mailbox only looks empty"
        )
    refusals += [Refusal(own[raw].title, 0, said) for raw, said in words.items() if raw in own]
    return Survey(namespace, tuple(folders), {r: s for r, s in listing.status.items() if r in own}, tuple(refusals))


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


def statuses(session: Session, listing: Listing, raws: Sequence[bytes]) -> Mapping[bytes, str]:
    """Ask for each folder's status, all on the wire at once; gives the server's words against those it refuses."""
    words: dict[bytes, str] = {}
    for start in range(0, len(raws), _AT_ONCE):
        group = raws[start : start + _AT_ONCE]
        asked = {session.wire.command(b"STATUS " + quoted(raw) + b" " + status_items(session)): raw for raw in group}
        for response in session.wire.until(*asked):
            if isinstance(response, list):
                listing.note(response)
            elif isinstance(response, Answer) and not response.ok and response.tag in asked:
                words[asked[response.tag]] = response.words
    return words


def _listing(session: Session) -> Listing:
    commands = [b"NAMESPACE"] if session.can("NAMESPACE") else []
    if session.can("LIST-STATUS") and session.can("LIST-EXTENDED"):
        use = b" SPECIAL-USE" if session.can("SPECIAL-USE") else b""
        commands.append(b'LIST "" "*" RETURN (SUBSCRIBED' + use + b" STATUS " + status_items(session) + b")")
    else:
        commands += [b'LIST "" "*"', b'LSUB "" "*"']
    tags = [session.wire.command(command) for command in commands]
    listing = Listing()
    for response in session.wire.until(*tags):
        if isinstance(response, list):
            listing.note(response)
    return listing


def status_items(session: Session) -> bytes:
    """What is asked of each folder."""
    return b"(MESSAGES UIDNEXT UIDVALIDITY" + (b" HIGHESTMODSEQ)" if session.can("CONDSTORE") else b")")
