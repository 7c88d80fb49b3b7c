"""A mailbox of files looked at before the copy: where its folders would go, and how much it holds."""

import time
from collections.abc import Mapping

from reconciler.mailcopy.files.copy import expect_a_mailbox, look_at_both
from reconciler.mailcopy.files.job import FilesCopy
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.mapping import FolderPlan, map_folders


def look_at_files(copy: FilesCopy) -> tuple[FolderPlan, Mapping[bytes, int], tuple[Refusal, ...]]:
    """The plan of folders, the messages by the source folder's raw name, and what cannot be looked at.

    Raises:
        MailError: a side cannot be read, or there is no mailbox.

    """
    source, target = copy.source.opened(time.sleep), copy.target.opened(time.sleep)
    here, there = look_at_both(source.look, target.look)
    if not copy.rules.may_be_empty:
        expect_a_mailbox(here, source)
    for inside in here.inside.values():
        source.fill(inside)
    plan = map_folders(here.folders, there.folders, there.namespace, copy.rules.folders)
    return plan, {raw: len(inside.rows) for raw, inside in here.inside.items()}, tuple(here.refusals)


def size_of_files(copy: FilesCopy) -> tuple[int, int]:
    """Messages and octets of the source.

    Raises:
        MailError: it cannot be read.

    """
    source = copy.source.opened(time.sleep)
    here = source.look()
    for inside in here.inside.values():
        source.fill(inside)
    rows = [row for inside in here.inside.values() for row in inside.rows.values()]
    return len(rows), sum(row.size for row in rows)
