"""Returned mail: what came to the new server after a cutover follows the MX when that goes back to the old one."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


class ReturnedMail(Resource):
    """Everything that was delivered to the new server's account ``name`` is on the old one as well.

    It is so from the start, and no longer once a name server was seen to name the new server
    (reconciler.analysis.mail_standing).
    """

    kind: ClassVar[str] = "returned_mail"
    undoable: ClassVar[bool] = False
    after: ClassVar[tuple[str, ...]] = ("mailbox", "rrset")

    def needs(self) -> Iterable[Address]:
        """The account that it lies in."""
        return (Address(self.place, "mailbox", self.name),)


def desired(spec: Spec, stage: Stage) -> Iterator[ReturnedMail]:
    """On the old server until the cutover; nothing where the spec has no section ``copy``."""
    if spec.mail_copy is not None and stage < Stage.CUTOVER:
        for mailbox in spec.with_old_mail:
            yield ReturnedMail(place=Place.OLD, name=mailbox.address)


def merge(wanted: ReturnedMail | None, standing: ReturnedMail | None) -> ReturnedMail | None:
    """Mail is only added: what was brought back stays."""
    return standing or wanted


KIND = ServerKind(
    ReturnedMail,
    desired,
    merge=merge,
    source="RFC 5321, section 5.1",
    changes_at=frozenset({Stage.CUTOVER}),
    comes_back=True,
)
