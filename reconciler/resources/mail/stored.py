"""Stored mail: what lies in an account's folders follows the MX to the new server."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


class StoredMail(Resource):
    """The mail of the old server's account ``name`` was copied to the new one, to the end, at least once.

    ``complete``: everything that may have been delivered to the old server by now is on the new one, and both sides
    were compared with a good verdict. ``quiet``: and nothing more comes there. ``analysis.mail_standing`` says how that
    is known.
    """

    kind: ClassVar[str] = "mail"
    undoable: ClassVar[bool] = False
    after: ClassVar[tuple[str, ...]] = ("domain", "mailbox", "quota", "alias", "catch_all", "dkim_key", "sieve")
    complete: bool = False
    quiet: bool = False

    def needs(self) -> Iterable[Address]:
        """The account that it lies in."""
        return (Address(self.place, "mailbox", self.name),)


def desired(spec: Spec, stage: Stage) -> Iterator[StoredMail]:
    """Copied once from the start, complete from the cutover on; at the end the old server must have fallen silent.

    Nothing where the spec has no section ``copy``.
    """
    if spec.mail_copy is not None:
        complete, quiet = stage >= Stage.CUTOVER, stage >= Stage.HARDEN
        for mailbox in spec.with_old_mail:
            yield StoredMail(place=Place.NEW, name=mailbox.address, complete=complete, quiet=quiet)


def merge(wanted: StoredMail | None, standing: StoredMail | None) -> StoredMail | None:
    """Mail is only added: what was reached stays so, and what was copied is never taken back."""
    if wanted is None or standing is None:
        return wanted or standing
    complete, quiet = wanted.complete or standing.complete, wanted.quiet or standing.quiet
    return standing.model_copy(update={"complete": complete, "quiet": quiet})


KIND = ServerKind(
    StoredMail,
    desired,
    merge=merge,
    source="RFC 5321, section 5.1",
    changes_at=frozenset({Stage.CUTOVER, Stage.HARDEN}),
)
