"""Mail-in-a-Box by its management API: users, quotas, aliases and the catch-all.

Its DKIM key is its own, and its domains come and go with their addresses. Sieve scripts are not in the API: the plan
shows them as by hand. It takes no password hashes, so that mailboxes are made with new passwords, or those that the
spec refers to. Removing a mailbox keeps its mail.

Source: Mail-in-a-Box 75, management/daemon.py and mailconfig.py; recorded answers of that version are among the tests.
"""

from typing import Any

from reconciler.extend import Backend, Context, Opened
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.ports import Store
from reconciler.products.mailinabox import aliases as miab_aliases
from reconciler.products.mailinabox import box as miab_box
from reconciler.products.mailinabox import mailboxes as miab_mailboxes
from reconciler.products.mailinabox.aliases import ForwardingStore
from reconciler.products.mailinabox.mailboxes import MailboxStore, QuotaStore
from reconciler.products.mailinabox.options import BoxOptions
from reconciler.products.mailinabox.resting import rests
from reconciler.products.mailinabox.standing import DkimKeyOfBox, DomainOfAddresses
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota


class Options(BoxOptions):
    """A Mail-in-a-Box, and an administrator of it."""

    name: str = ""
    """What people call the server; if silent, Mail-in-a-Box and its name."""


def keeps(wanted: Resource, _standing: Resource | None) -> Resource | None:
    """Users have no display name, and no limit is the absence of one."""
    if isinstance(wanted, Mailbox) and wanted.display_name:
        return wanted.model_copy(update={"display_name": ""})
    if isinstance(wanted, Quota) and wanted.size == 0:
        return None
    return wanted


def refuses(change: Change) -> str | None:
    """What its API would refuse for certain."""
    return miab_mailboxes.why_not(change) or miab_aliases.why_not(change)


def open_server(options: Options, context: Context) -> Opened:
    """One store for each kind; nothing is read yet."""
    box = miab_box.box(options, context.secrets, context.clock)
    stores: dict[str, Store[Any]] = {
        "domain": DomainOfAddresses(context, box),
        "mailbox": MailboxStore(context, box),
        "quota": QuotaStore(context, box),
        "alias": ForwardingStore(context, box, Alias),
        "catch_all": ForwardingStore(context, box, CatchAll),
        "dkim_key": DkimKeyOfBox(context, box),
    }
    return Opened(
        name=options.name or box.where,
        stores=stores,
        by_hand=frozenset({"domain", "dkim_key"}),
        keeps=keeps,
        refuses=refuses,
        machine=str(options.site),
        rests=rests(context.place, context.domain, options.site.name),
        close=box.close,
    )


BACKEND = Backend(
    title="Mail-in-a-Box by its API",
    options=Options,
    open=open_server,
    source="Mail-in-a-Box 75, management/daemon.py",
)
