"""Sieve scripts: what a server does with a user's mail as it arrives; among its rules our forward-and-retain."""

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from reconciler.extend import ServerKind
from reconciler.formats.mail_server.sieve_text import problems
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.stage import Stage
from reconciler.resources.server._sieve_forward import Forward, forwards, other_rules, with_forward, without_forward
from reconciler.spec.spec import Spec

OWN_SCRIPT: Final = "roundcube"  # what Roundcube calls the script that it makes, and opens where none is active


class SieveScript(Resource):
    """The script of one mailbox; ``name`` is the mailbox's address.

    It is the active script or, where none is active, the one that a filter editor would open. ``script`` is its name
    without ``.sieve``; ``content`` its whole text with its own line ends (RFC 5228).
    """

    kind: ClassVar[str] = "sieve"
    after: ClassVar[tuple[str, ...]] = ("mailbox",)
    script: str
    content: str
    active: bool = True

    def begins(self, whole: Resource | None) -> bool:
        """A script is written before it becomes active, and removed after it is no longer."""
        return not self.active and self.model_copy(update={"active": True}) == whole

    @property
    def rule(self) -> Forward | None:
        """Our rule, if it is there, switched on or off."""
        return next(iter(forwards(self.content)), None)

    @property
    def forwards_to(self) -> str | None:
        """Where our rule sends copies, if it is there and switched on."""
        rule = self.rule if self.active else None
        return rule.target if rule and rule.on else None

    @property
    def switched_off(self) -> bool:
        """Whether our rule is there but its user has switched it off: a sign that the user has moved."""
        return self.rule is not None and self.forwards_to is None

    @property
    def other_rules(self) -> int | None:
        """How many rules the user has beside ours; None if the script cannot be read."""
        return None if problems(self.content) else other_rules(self.content)

    def needs(self) -> Iterable[Address]:
        """The mailbox; and SPF that authorises this server, as long as it forwards."""
        yield Address(self.place, "mailbox", self.name)
        if self.forwards_to:
            yield Address(Place.DNS, RRset.kind, rrset_name(self.name.rpartition("@")[2], "TXT"))


def desired(spec: Spec, stage: Stage) -> Iterator[SieveScript]:
    """On the new server, for every mailbox with an old account: our rule while both servers are read, else no rule.

    "No rule" is an empty content, so that the rule is ours to take away though the user has moved in every stage. A
    date in ``moved`` that ``Spec.on`` has not settled counts as not moved.
    """
    for mailbox in spec.mailboxes:
        if mailbox.forward_to is None:
            continue
        forward = stage in {Stage.OVERLAP, Stage.CUTOVER} and mailbox.moved is not True
        content = with_forward("", mailbox.forward_to) if forward else ""
        yield SieveScript(place=Place.NEW, name=mailbox.address, script=OWN_SCRIPT, content=content)


def mergeable(standing: SieveScript) -> str | None:
    """Why our rule cannot be put into, or taken out of, a user's script; None if it can."""
    problem = problems(standing.content)
    if problem:
        return f"its script {standing.script} cannot be parsed ({problem})"
    if not standing.active and other_rules(standing.content):
        return f"its script {standing.script} is not active, and activating it would switch the user's own rules on"
    return None


def merge(wanted: SieveScript | None, standing: SieveScript | None) -> SieveScript | None:
    """Our rule in the user's script, or out of it; every other rule stays as it is.

    A rule that its user has switched off stays off. A script that cannot be read stays as it stands: ``mergeable``
    says why. A script of ours that holds nothing else goes with the rule.
    """
    target = wanted.forwards_to if wanted else None
    if standing is None:
        return wanted if target else None
    rule = standing.rule
    if target is None:
        return _without(standing) if rule else standing
    if rule and (not rule.on or (rule.target == target and standing.active)):
        return standing
    if mergeable(standing):
        return standing
    content = standing.content if rule and rule.target == target else with_forward(standing.content, target)
    return standing.model_copy(update={"content": content, "active": True})


def _without(standing: SieveScript) -> SieveScript | None:
    if problems(standing.content):
        return standing
    content = without_forward(standing.content)
    if not content.strip() and standing.script == OWN_SCRIPT:
        return None
    return standing.model_copy(update={"content": content})


KIND = ServerKind(
    SieveScript,
    desired,
    merge=merge,
    source="RFC 5228; RFC 3894 (:copy)",
    changes_at=frozenset({Stage.OVERLAP, Stage.HARDEN}),
    only_ours=True,
)
