"""What a person types where a product cannot be written: exact values, in words. Pure."""

from reconciler.model.change import Change, Verb
from reconciler.model.reference import refers_to
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset, presentation

_VERBS = {Verb.CREATE: "add", Verb.UPDATE: "change to", Verb.DELETE: "remove"}


def instruction(change: Change, product: str) -> str:
    """One sentence for the administrator of ``product``."""
    if change.after is None:
        return f"by hand on {product}: remove {_content(change.subject)}"
    return f"by hand on {product}: {_VERBS[change.verb]} {_content(change.after)}"


def _content(resource: Resource) -> str:
    if isinstance(resource, RRset):
        lines = (
            f"{resource.owner} {resource.ttl} IN {resource.rdtype} {presentation(resource.rdtype, text)}"
            for text in sorted(resource.rdata)
            if not refers_to(text)
        )
        return "; ".join(lines) or f"{resource.name} (known after apply)"
    fields = resource.model_dump(mode="json", exclude={"place", "name"}, exclude_defaults=True)
    values = ", ".join(f"{key} {_plain(value)}" for key, value in sorted(fields.items()))
    return f"{resource.kind} {resource.name}" + (f" with {values}" if values else "")


def _plain(value: object) -> str:
    return " ".join(sorted(map(str, value))) if isinstance(value, list) else str(value)
