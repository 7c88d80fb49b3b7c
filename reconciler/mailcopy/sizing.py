"""How much mail a mailbox holds: known before the copy, so that the biggest go first and the end can be foretold."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from reconciler.errors import MailError, SecretError
from reconciler.mailcopy.either import AnyCopy
from reconciler.mailcopy.imap.grammar import fetched, quoted, tokens
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.session import Session, session
from reconciler.mailcopy.imap.survey import survey
from reconciler.mailcopy.imap.wire import Parts
from reconciler.mailcopy.model.gmail import CAPABILITY
from reconciler.mailcopy.rooms import Rooms

if TYPE_CHECKING:
    from reconciler.mailcopy.files.job import FilesCopy

_AT_ONCE = 50
"""Folders listed ahead of the answers: the commands are short, and the answers are read as they come."""


class Size(NamedTuple):
    """What the source holds."""

    messages: int
    octets: int


def measure(opened: Session) -> Size:
    """By STATUS=SIZE where the server can (RFC 8438), else by the sizes of all messages.

    Raises:
        MailError: the mailbox cannot be looked at.

    """
    found = survey(opened)
    raws = [raw for raw, status in found.status.items() if status.messages]
    if opened.can(CAPABILITY):  # a message of All Mail is in other folders too
        shown = {folder.raw for folder in found.folders if folder.attributes & {"\\all", "\\junk", "\\trash"}}
        raws = [raw for raw in raws if raw in shown]
    messages = sum(found.status[raw].messages for raw in raws)
    return Size(messages, sum(_by_status(opened, raws) if opened.can("STATUS=SIZE") else _by_rows(opened, raws)))


def measure_all(
    copies: Sequence[AnyCopy], parallel: int, stop: Callable[[], bool] = lambda: False
) -> Mapping[str, Size]:
    """By account; without those that cannot be entered, which their copies will tell."""
    rooms = Rooms(each.source.server for each in copies)

    def one(copy: AnyCopy) -> Size | None:
        server = copy.source.server
        try:
            with rooms.taken(server):
                if stop():
                    return None
                if not isinstance(copy, MailboxCopy):
                    return _of_files(copy)
                with session(copy.source.server, copy.source.login) as opened:
                    return measure(opened)
        except (MailError, SecretError):
            return None

    with ThreadPoolExecutor(max_workers=max(1, parallel), thread_name_prefix="size") as threads:
        sizes = zip(copies, threads.map(one, copies), strict=True)
        return {copy.key.account: size for copy, size in sizes if size is not None}


def _of_files(copy: "FilesCopy") -> Size:
    from reconciler.mailcopy.files.preview import size_of_files  # noqa: PLC0415 - most moves copy over IMAP alone

    return Size(*size_of_files(copy))


def _by_status(opened: Session, raws: Collection[bytes]) -> Iterator[int]:
    tags = [opened.wire.command(b"STATUS " + quoted(raw) + b" (SIZE)") for raw in raws]
    for response in opened.wire.until(*tags):
        if isinstance(response, list):
            yield from _status_size(response)


def _status_size(parts: Parts) -> Iterator[int]:
    match tokens(parts):
        case [_, bytes(kind), _, [bytes(name), bytes(number), *_], *_] if kind.upper() == b"STATUS":
            if name.upper() == b"SIZE" and number.isdigit():
                yield int(number)
        case _:
            pass


def _by_rows(opened: Session, raws: Sequence[bytes]) -> Iterator[int]:
    for start in range(0, len(raws), _AT_ONCE):
        tags = []
        for raw in raws[start : start + _AT_ONCE]:
            tags.append(opened.wire.command(b"EXAMINE " + quoted(raw)))
            tags.append(opened.wire.command(b"UID FETCH 1:* (RFC822.SIZE)"))
        for response in opened.wire.until(*tags):
            row = fetched(response) if isinstance(response, list) else None
            if row and row.size is not None:
                yield row.size
