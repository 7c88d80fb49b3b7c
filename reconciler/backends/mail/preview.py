"""Where each folder of a mailbox would go and why, before anything is written: both sides are only looked at."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.backends.mail._labels import folder_rules
from reconciler.backends.mail.either import AnyCopy
from reconciler.backends.mail.job import NO_PLAN, MailboxCopy, State
from reconciler.backends.mail.rooms import Rooms
from reconciler.backends.mail.session import session
from reconciler.backends.mail.survey import expect_mail, survey
from reconciler.errors import LoginRefused, MailboxSuspect, MailError, SecretError
from reconciler.model.mail.accounting import Refusal
from reconciler.model.mail.ledger import CopyKey
from reconciler.model.mail.mapping import FolderPlan, map_folders

if TYPE_CHECKING:
    from reconciler.backends.mail.maildir.job import FilesCopy


@dataclass(frozen=True, slots=True)
class Preview:
    """One mailbox; ``messages`` by the source folder's raw name. ``state`` and ``words`` where it cannot be seen."""

    key: CopyKey
    plan: FolderPlan = NO_PLAN
    messages: Mapping[bytes, int] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    state: State = State.DONE
    words: str = ""


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
    from reconciler.backends.mail.maildir.preview import look_at_files  # noqa: PLC0415 - most moves copy over IMAP alone

    return Preview(copy.key, *look_at_files(copy))


def _look(copy: MailboxCopy) -> Preview:
    with (
        session(copy.source.server, copy.source.login) as source,
        session(copy.target.server, copy.target.login) as target,
    ):
        here, there = survey(source), survey(target)
        if not copy.rules.may_be_empty:
            expect_mail(here, source)
        rules = folder_rules(source, here, there, copy.rules.folders)
        plan = map_folders(here.folders, there.folders, there.namespace, rules)
    messages = {raw: status.messages for raw, status in here.status.items()}
    return Preview(copy.key, plan, messages, here.refusals)
