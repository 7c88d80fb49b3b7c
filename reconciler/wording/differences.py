"""What tells two values apart, field by field, by DeepDiff over their data. It explains to people and never decides."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

_MOST_LISTED: Final = 5


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One phrase for each field that differs, in alphabetical order: ``size 5 -> 7``, ``targets +bob@example.org``."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - slow to load, seldom needed

    found = []
    for category, levels in DeepDiff(old, new, ignore_order=True, threshold_to_diff_deeper=0, view="tree").items():
        for level in levels:
            path = ".".join(str(part) for part in level.path(output_format="list") if isinstance(part, str))
            if category.endswith("_added"):
                found.append(f"{path} +{in_words(level.t2)}")
            elif category.endswith("_removed"):
                found.append(f"{path} -{in_words(level.t1)}")
            else:
                found.append(f"{path} {in_words(level.t1)} -> {in_words(level.t2)}")
    return sorted(found)


def first_of(items: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    every = list(items)
    rest = len(every) - _MOST_LISTED
    return ", ".join([*every[:_MOST_LISTED], *([f"and {rest:,} more"] if rest > 0 else [])])


def in_words(value: Any) -> str:
    """A value of a field, lists in alphabetical order."""
    if value is None:
        return "none"
    return first_of(sorted(map(str, value))) if isinstance(value, (frozenset, set, list, tuple)) else str(value)
