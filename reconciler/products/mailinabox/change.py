"""One change of a Mail-in-a-Box: compared before, and looked at again where nobody knows whether it was made."""

from collections.abc import Callable

from reconciler.errors import ReconcilerError, WriteError
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.products.mailinabox.box import Box, Doubtful


def carry_out(box: Box, change: Change, call: Callable[[], object], reading: Callable[[], Resource | None]) -> None:
    """Make the call; after an internal error or a lost answer, read what became of it.

    A box that breaks off in the middle has written its database and then not told its name server: that is made up
    for. ``reading`` gives the resource as it stands, in the form of the change.

    Raises:
        WriteError: it was not made; or it was and the box's DNS is not up to date; or nobody knows.

    """
    try:
        call()
    except Doubtful as doubt:
        try:
            stands = reading()
        except ReconcilerError as error:
            raise WriteError(
                f"{change.address}: whether it was changed is not known: {doubt}; and then {error}. Plan again when "
                "the box answers: what it did is seen then"
            ) from doubt
        if stands != change.after:
            left = "nothing was changed" if stands == change.before else "only a part was changed"
            raise WriteError(
                f"{change.address} was not written, {left}: {doubt}. See on the box what is wrong (often Dovecot is "
                "down), then plan again"
            ) from doubt
        _make_up(box, change, doubt)


def _make_up(box: Box, change: Change, doubt: Doubtful) -> None:
    """The change stands; have the box write its zones, which it had not come to."""
    try:
        box.post("/dns/update")
    except (Doubtful, WriteError) as error:
        raise WriteError(
            f"{change.address} is changed, but {box.where} broke off before it had updated its DNS: {doubt}; and its "
            f"DNS could not be updated afterwards: {error}. Mend the box (often Dovecot is down), then run "
            "management/dns_update.py --update there, and plan again"
        ) from error
