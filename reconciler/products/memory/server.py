"""A mail server that exists only while the program runs: for rehearsing a spec, and for tests."""

from pydantic import BaseModel, ConfigDict

from reconciler.extend import Backend, Context, Opened
from reconciler.model.resource import Resource
from reconciler.model.secret import Secret
from reconciler.products.memory.store import MemoryStore
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript

_KINDS = (MailDomain, Mailbox, Quota, Alias, CatchAll, SieveScript, DkimKey)


class MemoryServerOptions(BaseModel):
    """What the rehearsed server has and can do."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    holds: tuple[str, ...] = tuple(kind.kind for kind in _KINDS)
    """The kinds of resources that it can keep; all others are by hand."""
    mailboxes: tuple[str, ...] = ()
    """Addresses of the accounts that exist at the start."""
    aliases: dict[str, tuple[str, ...]] = {}
    """Aliases that exist at the start."""


def open_memory(options: MemoryServerOptions, context: Context) -> Opened:
    """A new server with what the options name."""
    place = context.place
    start: dict[str, list[Resource]] = {
        "mailbox": [Mailbox(place=place, name=name) for name in options.mailboxes],
        "alias": [Alias(place=place, name=n, targets=frozenset(t)) for n, t in options.aliases.items()],
        "domain": [MailDomain(place=place, name=context.domain)] if options.mailboxes or options.aliases else [],
    }
    stores = {
        kind.kind: store_of(kind.kind, *start.get(kind.kind, ())) for kind in _KINDS if kind.kind in options.holds
    }
    return Opened("a server in memory", stores, password_hash=lambda _address: Secret("{PLAIN}rehearsal"))


def store_of(kind: str, *resources: Resource) -> MemoryStore:
    """A store that behaves as a real server does with resources of the kind."""
    forgets: dict[str, dict[str, object]] = {
        "mailbox": {"password": None},
        "dkim_key": {"source": None, "bits": 0, "public": "cmVoZWFyc2FsIGtleQ=="},
    }
    return MemoryStore(*resources, forgets=forgets.get(kind))


BACKEND = Backend("A server in memory", MemoryServerOptions, open_memory, source="for rehearsals and tests")
