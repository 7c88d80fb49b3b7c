"""The judge's verdict on a copied mailbox."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """From best to worst; what each means for the cutover."""

    PERFECT = "Perfect"  # both sides are equal
    GOOD = "Good"  # every difference is explained
    INVESTIGATE = "Investigate"  # a person must look: needs a line of approval in the spec
    POOR = "Poor"  # mail is missing or altered: blocks the cutover


class Kind(StrEnum):
    """One kind of difference between a folder and its copy."""

    MISSING = "missing"  # on the source, not on the target
    ALTERED = "altered"  # the sampled message has another content
    TWICE = "twice"  # more copies on the target than the source ever had
    DATE = "date"
    SIZE = "size"
    FLAGS = "flags"
    EXTRA = "extra"  # on the target only: delivered or written there
    UNSTABLE = "unstable"  # the source shows another text at each reading, and the target holds what stays the same
    UNJUDGED = "not judged"  # a server did not show it, so nobody can say


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, how often, and why that is all right, if it is; ``example`` helps to find one."""

    folder: str
    kind: Kind
    count: int
    explained: str = ""
    example: str = ""

    @property
    def grade(self) -> Grade:
        """What this alone would give."""
        if self.explained:
            return Grade.GOOD
        return Grade.POOR if self.kind in {Kind.MISSING, Kind.ALTERED} else Grade.INVESTIGATE


_ORDER = tuple(Grade)


def grade(differences: Iterable[Difference]) -> Grade:
    """The worst of them; Perfect if there are none."""
    return max((difference.grade for difference in differences), key=_ORDER.index, default=Grade.PERFECT)
