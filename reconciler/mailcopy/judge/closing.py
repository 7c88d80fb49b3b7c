"""The account of folders: every one that the source lists has a place in the plan, and a place of its own."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.mapping import FolderPlan, FolderRules, Mapped
from reconciler.model.folder_path import title
from reconciler.model.grade import Difference, Kind


def close(
    selectable: Mapping[bytes, Folder], plan: FolderPlan, rules: FolderRules, held: Mapping[bytes, int]
) -> Iterator[Difference]:
    """What does not add up; ``held`` are the messages in each folder, as far as is known."""
    planned: dict[bytes, int] = defaultdict(int)
    for source in (*(line.source for line in plan.mapped), *(entry.source for entry in plan.left_out)):
        planned[source.raw] += 1
    for raw, folder in selectable.items():
        if planned[raw] == 0:
            yield Difference(folder.title, Kind.MISSING, max(1, held.get(raw, 0)), example="no plan names the folder")
        elif planned[raw] > 1:
            yield Difference(folder.title, Kind.UNJUDGED, 1, example="the plan names the folder more than once")
    places: dict[bytes, list[Mapped]] = defaultdict(list)
    for line in plan.mapped:
        places[line.raw].append(line)
    for lines in places.values():
        unasked = [line for line in lines if not _is_ruled(line, rules)]
        for line in unasked[1:]:
            words = f"it goes into {title(line.target)}, where {unasked[0].source.title} goes too, and no rule says so"
            yield Difference(line.source.title, Kind.UNJUDGED, max(1, held.get(line.source.raw, 0)), example=words)


def _is_ruled(line: Mapped, rules: FolderRules) -> bool:
    return line.source.title in rules.into or line.source.path in rules.usual
