"""What a receiver would say of a sending address by a record that is not published yet (RFC 7208, section 4)."""

from typing import Any, Final

import spf

from reconciler.analysis.planned_dns import PlannedDns
from reconciler.model.outside import Unknown

_PREFIXES: Final = ("SPF Permanent Error: ", "SPF Temporary Error: ")
_WITH_REASON: Final = ("permerror", "temperror")


def verdict(world: PlannedDns, domain: str, text: str, address: str, helo: str) -> tuple[str, str]:
    """The result, and for an error its reason."""
    result, _, words = _Query(world, address, f"postmaster@{domain}", helo).check(spf=text)
    reason = str(words)
    for prefix in _PREFIXES:
        reason = reason.removeprefix(prefix)
    return str(result), reason if result in _WITH_REASON else ""


class _Query(spf.query):  # type: ignore[misc]  # the library ships no types
    """Answered from the world as it will be, instead of by the resolver of this machine."""

    def __init__(self, world: PlannedDns, address: str, sender: str, helo: str) -> None:
        super().__init__(i=address, s=sender, h=helo)
        self._world = world

    def dns(self, name: object, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:  # noqa: ARG002
        """As the library's own: an answer without data counts, unless it is the explanation's."""
        try:
            found = [_plain(qtype, rdata) for rdata in self._world.records(str(name), qtype)]
        except Unknown as why:
            raise spf.TempError(str(why)) from why
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                msg = f"more than {spf.MAX_VOID_LOOKUPS} of its look-ups find nothing"
                raise spf.PermError(msg)
        return found


def _plain(qtype: str, rdata: Any) -> Any:
    """In the library's own shapes."""
    match qtype:
        case "TXT" | "SPF":
            return rdata.strings
        case "MX":
            return rdata.preference, str(rdata.exchange).removesuffix(".")
        case "PTR":
            return str(rdata.target).removesuffix(".")
        case _:
            return rdata.address
