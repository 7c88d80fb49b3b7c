"""How the project grows: one new module that declares one of these values.

A module of ``resources/server`` or ``resources/mail`` declares a ServerKind, of ``resources/dns`` a RecordKind, of
``checks`` a Check, of ``probes`` a Probe, of ``render`` a Renderer. A folder of ``products`` has a module ``server``, a
module ``dns`` or both, and each declares a Backend. Nothing else has to be told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.event import NOBODY, Events
from reconciler.model.last_pass import LastPass
from reconciler.model.outside import NOTHING, Outside
from reconciler.model.plan import Plan
from reconciler.model.resource import Resource, State
from reconciler.model.rrset import Claim
from reconciler.model.secret import Secret
from reconciler.model.sighting import History
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer
from reconciler.ports import Clock, NameServers, Secrets, Store
from reconciler.spec.spec import Spec

Keeps = Callable[[Resource, Resource | None], Resource | None]
"""What becomes of a wanted resource where this one stands; None: nothing has to stand for it."""

Refuses = Callable[[Change], str | None]
"""Why a change will not be made, and what to do instead; None: it can be made."""


class Rests(Protocol):
    """What else goes, that is not ours to lose, when addresses are taken away from a server."""

    def __call__(self, before: State, after: State, /, *, keeps_zone: bool) -> str | None:
        """Why they must stay, and what to do first; None: nothing rests on them.

        ``keeps_zone``: the product that keeps the domain's zone is the same machine.
        """


def as_wanted(wanted: Any, _standing: Any) -> Any:
    """The whole resource is ours: what we want replaces what stands."""
    return wanted


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A kind of object on a mail server.

    ``desired`` gives what the spec wants at a stage: pure, the same addresses are "ours" in every stage. ``merge``
    (wanted or None, standing or None) lays our part of a resource over what stands there: the user's other Sieve
    rules, the password that a person has changed since. It must be idempotent. ``changes_at``: the stages at which it
    desires something else than at the one before; at the others it is not asked. ``only_ours``: nobody needs to see
    those that the spec does not name, and reading them all would be costly. ``comes_back``: whoever goes back must make
    it, so that a rollback, which else only restores what the journal knows, makes it too.
    """

    type: type[Resource]
    desired: Callable[[Spec, Stage], Iterable[Resource]]
    source: str
    merge: Callable[[Any, Any], Any] = as_wanted
    changes_at: frozenset[Stage] = frozenset(Stage)
    only_ours: bool = False
    comes_back: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """The rdata at one owner name that a record kind owns.

    ``ever``: what any stage of the spec claims there. ``published``: what the new server needs to stand there (a key
    that it signs with), whether the spec names it or not.
    """

    owner: str
    observed: frozenset[str]
    ever: frozenset[str]
    published: frozenset[str] = frozenset()


def replace_all(wanted: frozenset[str], _standing: Standing) -> frozenset[str]:
    """All owned rdata at the name are ours: what we want replaces what stands."""
    return wanted


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of DNS record.

    ``desired`` gives the claims of a stage; a Claim with rdata None says: as it stood before this move touched it.
    ``owns`` tells its own rdata, in normal form, from other people's in the same RRset. ``merge`` lays the claimed
    rdata over the owned ones that stand (SPF: mechanism by mechanism); it must be idempotent. ``moves`` says that the
    cutover touches the RRset, so that its TTL is lowered in good time.
    """

    rdtype: str
    owns: Callable[[str], bool]
    desired: Callable[[Spec, Stage], Iterable[Claim]]
    source: str
    merge: Callable[[frozenset[str], Standing], frozenset[str]] = replace_all
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a check may know on the way into ``stage``.

    ``observed`` is the world as read; ``expected`` the world once the steps of the earlier stages are done;
    ``desired`` the world once this stage's are, ``end`` once all of the plan are. ``changes`` are this stage's.
    ``baseline`` holds what stood at each address that this move has changed; ``histories`` the TTL clock of each RRset
    by name. ``by_hand`` are the (place, kind) pairs that a backend cannot write. ``back``: the way leads back from a
    later stage. ``outside`` is what probes have seen, as far as the spec asks for it. ``copies``: the last pass over
    the mail of each mailbox.
    """

    now: datetime
    stage: Stage
    observed: State
    expected: State
    desired: State
    end: State
    changes: tuple[Change, ...] = ()
    baseline: Mapping[Address, Resource | None] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)
    by_hand: frozenset[tuple[Place, str]] = frozenset()
    back: bool = False
    outside: Outside = NOTHING
    copies: Mapping[str, LastPass] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a probe may know and use beside the spec.

    ``observed`` is the world as read; ``zones`` the zone as it will be at each stage on the way of the plan, with what
    is not ours as it stands. ``claimed`` are the names of the RRsets that some stage claims. ``base``: the spec's
    folder, for relative paths.
    """

    now: datetime
    observed: State
    zones: Mapping[Stage, State]
    claimed: frozenset[str]
    base: Path
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class Probe:
    """Gathers one kind of fact from outside, at the time of planning, for the checks of ``stages``.

    ``gather(spec, surroundings)`` gives a frozen value of ``model/outside.py``, or None where the spec's ``probe``
    section does not ask for it: then nobody is contacted. It changes nothing and raises nothing: that somebody does
    not answer is part of the fact.
    """

    title: str
    stages: frozenset[Stage]
    gather: Callable[[Spec, Surroundings], object | None]
    source: str


@dataclass(frozen=True, slots=True)
class Check:
    """A condition; it judges facts and touches nothing.

    It is asked on the way into each of ``stages``. A Wait or Fail holds back the changes of that stage for which
    ``gates`` is true, and everything after them. ``only_to_gate``: it has nothing to say where there are none.
    """

    title: str
    stages: frozenset[Stage]
    gates: Callable[[Change], bool]
    judge: Callable[[Spec, Facts], Answer]
    source: str
    only_to_gate: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a backend is given beside its options.

    ``base``: the spec's folder, for relative paths. ``events`` hear what a long write waits for.
    """

    place: Place
    domain: str
    base: Path
    secrets: Secrets
    clock: Clock
    events: Events = NOBODY


@dataclass(frozen=True, slots=True)
class Opened:
    """A server or DNS product, ready to be read and written.

    ``name`` is what people call it. ``stores``: kind to Store. Kinds in ``by_hand`` can be read but not written; a
    kind in neither is neither read nor written: its steps are by hand, and done when the spec's ``done_by_hand``
    lists the address. ``password_hash`` gives an account's password hash (``{SCHEME}hash``), where the product shows
    it.

    ``keeps(wanted, standing)`` is what becomes of a wanted resource in this product, where that is not the same (a
    fixed TTL, no display names). ``refuses(change)`` is why it will not make a change of a kind that it else writes,
    None if it will. Both are pure and asked for every plan. ``rests`` says what else goes with addresses that are taken
    away; ``machine`` names the one that is behind it, by which two products on one machine are known.
    """

    name: str
    stores: Mapping[str, Store[Any]]
    by_hand: frozenset[str] = frozenset()
    name_servers: NameServers | None = None
    password_hash: Callable[[str], Secret] | None = None
    keeps: Keeps | None = None
    refuses: Refuses | None = None
    rests: Rests | None = None
    machine: str = ""
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Backend:
    """A server or DNS product: its options, and how it is opened."""

    title: str
    options: type[BaseModel]
    open: Callable[[Any, Context], Opened]
    source: str


@dataclass(frozen=True, slots=True)
class Renderer:
    """One way to show a plan; ``suffix`` is the file name's ending."""

    suffix: str
    render: Callable[[Plan], str]
