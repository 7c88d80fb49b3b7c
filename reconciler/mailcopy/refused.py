"""Everything that is refused still, in every pass: people ask for the reasons long after the first one."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.mailcopy.model.accounting import FolderAccount, Refusal
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.mapping import FolderPlan

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger


def all_refusals(
    found: Iterable[Refusal], accounts: Sequence[FolderAccount], plan: FolderPlan, key: CopyKey, ledger: "MailLedger"
) -> tuple[Refusal, ...]:
    """Those ``found`` in this pass, and the messages that the ledger knows as refused and not gone; each once."""
    told = [*found, *(refusal for account in accounts for refusal in account.refusals)]
    if any(account.tally.refused for account in accounts):
        titles = {line.source.raw: line.source.title for line in plan.mapped}
        known = ledger.refused(key)
        told += [Refusal(titles[raw], record.uid, record.words) for raw, record in known if raw in titles]
    return tuple(dict.fromkeys(told))
