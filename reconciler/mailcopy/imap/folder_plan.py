"""Which folder of a mailbox goes where: one answer for whoever copies, judges or previews it."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.grammar import Token, quoted, tokens
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import folder_rules
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.survey import Survey, expect_mail
from reconciler.mailcopy.imap.wire import Answer
from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.mapping import FolderPlan, alike, map_folders
from reconciler.model.folder_path import Path

_WORKING_FOLDERS = (("dovecot",), ("dovecot", "lda-dupes"), ("dovecot", "lda-dupes", "locks"))
"""Dovecot keeps its locks of delivery there, and lists them where the home is the Maildir."""


def folder_plan(  # noqa: PLR0917 - both sides as they are
    copy: MailboxCopy,
    source: Session,
    here: Survey,
    there: Survey,
    target: Session | None = None,
    unwanted: Mapping[Path, int] | None = None,
    *,
    folds_case: bool = False,
) -> FolderPlan:
    """From the surveys of both sides, by the rules of the spec and the ways of the source.

    ``target``: asked whether it tells upper case from lower, where that makes a difference. ``unwanted``: source
    folders whose names the target has refused, and how often. ``folds_case``: it is known that it does not tell.

    Raises:
        MailboxSuspect: the source shows no message at all, and the spec does not say that it may be so.

    """
    if not copy.rules.may_be_empty:
        expect_mail(here, source)
    rules = folder_rules(source, here, there, copy.rules.folders)
    folders = marked(source, here).folders
    plan = map_folders(folders, there.folders, there.namespace, rules, unwanted, folds_case=folds_case)
    if folds_case or target is None or not alike(plan, there.folders) or not _folds_case(target, there):
        return plan
    return map_folders(folders, there.folders, there.namespace, rules, unwanted, folds_case=True)


def marked(source: Session, here: Survey) -> Survey:
    """With a mark on the folders that hold no mail of their own; nothing else may be on the source's wire."""
    if here.is_marked:
        return here
    others = tuple(prefix.encode() for prefix in here.namespace.others if prefix)
    folders = []
    for folder in here.folders:
        status = here.status.get(folder.raw)
        mark = ""
        if folder.path in _WORKING_FOLDERS and status is not None and not status.messages:
            mark = "x-working-folder"
        elif others and folder.raw.startswith(others) and status is not None and _shows_others(source, folder, status):
            mark = "x-shows-others"
        folders.append(replace(folder, attributes=folder.attributes | {mark}) if mark else folder)
    return replace(here, folders=tuple(folders), is_marked=True)


def _shows_others(source: Session, folder: Folder, status: Status) -> bool:
    """Whether a message in it lies in another folder: Dovecot tells that of what its virtual plugin shows.

    Asked in the user's further namespaces only, where such folders are.
    """
    if not status.messages:
        return False
    opening = source.wire.command(b"EXAMINE " + quoted(folder.raw))
    if not _answered(source, opening, []):
        return False
    told: list[Token] = []
    tag = source.wire.command(b"UID FETCH * (UID X-MAILBOX)")
    _answered(source, tag, told)
    return any(isinstance(name, bytes) and name.upper() != folder.raw.upper() for name in told)


def _answered(session: Session, tag: bytes, told: list[Token]) -> bool:
    ok = False
    for response in session.wire.until(tag):
        if isinstance(response, Answer):
            ok = response.ok
        elif isinstance(response, list):
            items = next((each for each in tokens(response) if isinstance(each, list)), [])
            told += [value for name, value in zip(items[::2], items[1::2], strict=False) if name == b"X-MAILBOX"]
    return ok


def _folds_case(target: Session, there: Survey) -> bool:
    """Whether the target opens a folder by its name in other case, and shows none of that name."""
    shown = {folder.raw for folder in there.folders}
    for folder in there.folders:
        other = folder.raw.swapcase()
        if folder.raw != b"INBOX" and folder.raw in there.status and b"&" not in other and other not in shown:
            tag = target.wire.command(b"STATUS " + quoted(other) + b" (MESSAGES)")
            return _answered(target, tag, [])
    return False
