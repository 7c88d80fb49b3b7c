"""Other people, who write between our looks: in web forms, in files, with programs of their own."""

from collections.abc import Sequence

from hypothesis import strategies as st

from reconciler.model.change import Change
from reconciler.model.plan import Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from tests.support.move import Move
from tests.support.post import MailStore


def meddle(data: st.DataObject, move: Move, steps: Sequence[Step]) -> None:
    """Do a step of a plan, or of a later one, by hand, undo an earlier one, or give a record another TTL."""
    if not steps:
        return
    step = data.draw(st.sampled_from(list(steps)), "which another hand touches")
    address = step.change.address
    store = move.stores[address.place, address.kind]
    if isinstance(store, MailStore):
        return  # it shows what passes have seen, and nobody writes that
    standing = next((r for r in store.read() if r.address == address), None)
    wishes: list[Resource | None] = [step.change.before]
    if isinstance(standing, RRset):
        wishes.append(standing.model_copy(update={"ttl": 77}))
    if not (isinstance(step.change.after, RRset) and step.change.after.unknown):
        wishes.append(step.change.after)
    wish = data.draw(st.sampled_from(wishes), "and leaves as")
    if wish != standing and not (isinstance(wish, RRset) and wish.unknown):
        store.write([Change(standing, wish)])
