"""Which folder of a mailbox goes where: one answer for whoever copies, judges or previews it."""

from collections.abc import Collection

from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import folder_rules
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.survey import Survey, expect_mail
from reconciler.mailcopy.model.mapping import FolderPlan, map_folders
from reconciler.model.folder_path import Path


def folder_plan(
    copy: MailboxCopy, source: Session, here: Survey, there: Survey, unwanted: Collection[Path] = ()
) -> FolderPlan:
    """From the surveys of both sides, by the rules of the spec and the ways of the source.

    ``unwanted``: source folders whose names the target has refused.

    Raises:
        MailboxSuspect: the source shows no message at all, and the spec does not say that it may be so.

    """
    if not copy.rules.may_be_empty:
        expect_mail(here, source)
    rules = folder_rules(source, here, there, copy.rules.folders)
    return map_folders(here.folders, there.folders, there.namespace, rules, unwanted)
