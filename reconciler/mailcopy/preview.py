"""Where each folder of a mailbox would go and why, before anything is written: both sides are only looked at."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.errors import LoginRefused, MailboxSuspect, MailError, SecretError
from reconciler.mailcopy.either import AnyCopy
from reconciler.mailcopy.imap.folder_plan import folder_plan
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.session import session
from reconciler.mailcopy.imap.survey import as_target, survey
from reconciler.mailcopy.job import NO_PLAN, State
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.mapping import FolderPlan
from reconciler.mailcopy.rooms import Rooms

if TYPE_CHECKING:
    from reconciler.mailcopy.files.job import FilesCopy


@dataclass(frozen=True, slots=True)
class Preview:
    """One mailbox; ``messages`` by the source folder's raw name. ``state`` and ``words`` where it cannot be seen.

    ``notes``: what people should know though no mail will be missing by it.
    """

    key: CopyKey
    plan: FolderPlan = NO_PLAN
    messages: Mapping[bytes, int] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    state: State = State.DONE
    words: str = ""
    notes: tuple[str, ...] = ()


def preview_mailbox(copy: AnyCopy) -> Preview:
    """Look at both sides; it never raises for what a server does."""
    try:
        return _look(copy) if isinstance(copy, MailboxCopy) else _look_at_files(copy)
    except (LoginRefused, SecretError) as error:
        return Preview(copy.key, state=State.AUTH_LOST, words=str(error))
    except MailboxSuspect as error:
        return Preview(copy.key, state=State.SUSPECT, words=str(error))
    except MailError as error:
        return Preview(copy.key, state=State.FAILED, words=str(error))


def preview_all(copies: Sequence[AnyCopy], parallel: int) -> Iterator[Preview]:
    """Each mailbox, within the bounds of its servers, as they come; closing the iterator looks at no more."""
    rooms = Rooms(end.server for copy in copies for end in (copy.source, copy.target))

    def one(copy: AnyCopy) -> Preview:
        with rooms.taken(copy.source.server, copy.target.server):
            return preview_mailbox(copy)

    with ThreadPoolExecutor(max_workers=max(1, parallel), thread_name_prefix="look") as threads:
        running = [threads.submit(one, copy) for copy in copies]
        try:
            for done in as_completed(running):
                yield done.result()
        finally:
            for future in running:
                future.cancel()


def _look_at_files(copy: "FilesCopy") -> Preview:
    from reconciler.mailcopy.files.preview import look_at_files  # noqa: PLC0415 - most moves copy over IMAP alone

    return Preview(copy.key, *look_at_files(copy))


def _look(copy: MailboxCopy) -> Preview:
    with (
        session(copy.source.server, copy.source.login) as source,
        session(copy.target.server, copy.target.login) as target,
    ):
        here, there = survey(source), as_target(survey(target))
        plan = folder_plan(copy, source, here, there, target)
    messages = {raw: status.messages for raw, status in here.status.items()}
    return Preview(copy.key, plan, messages, here.refusals, notes=here.notes)
