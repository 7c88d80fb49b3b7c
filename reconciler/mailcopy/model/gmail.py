"""Gmail's labels as folders: a message is shown in the folder of each of its labels, and all of them in All Mail.

Source: Google, "IMAP Extensions" (X-GM-EXT-1, X-GM-LABELS). A label is the folder's name as LIST tells it; those of
the system begin with a backslash. The label of the folder that is open is left out of what it shows. What lies in Spam
or Trash is shown nowhere else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from reconciler.mailcopy.model.flags import portable
from reconciler.mailcopy.model.folder import INBOX, Folder
from reconciler.mailcopy.model.mapping import FolderPlan, use_places
from reconciler.mailcopy.model.special_use import VIRTUAL, Use
from reconciler.model.folder_path import Path

CAPABILITY: Final = "X-GM-EXT-1"
IMPORTANT: Final = "$Important"
"""The keyword for what Gmail has a label for (RFC 8457)."""

_ALL: Final = "\\all"
_NAMES: Final = {Use.SENT: "Sent", Use.DRAFTS: "Drafts", Use.TRASH: "Trash", Use.JUNK: "Junk", Use.ARCHIVE: "Archive"}
_SYSTEM: Final = {
    "\\sent": (b"\\sent",),
    "\\drafts": (b"\\draft", b"\\drafts"),
    "\\flagged": (b"\\starred",),
    "\\important": (b"\\important",),
}
_ALONE: Final = frozenset({"\\junk", "\\trash"})


class Shown(NamedTuple):
    """What Gmail says of a message: its number, the same in every folder, and its labels, system ones in lower case."""

    message: str
    labels: frozenset[bytes]

    def flags(self, flags: str) -> str:
        """The flags, with the mark of importance as a keyword."""
        return portable(f"{flags} {IMPORTANT}") if b"\\important" in self.labels else flags


def places(source: Sequence[Folder], target: Sequence[Folder]) -> Mapping[Path, tuple[Path, str]]:
    """Where Gmail's own folders go: not below ``[Gmail]``, which no other server has.

    All Mail is for what has no label left, which is what others call an archive.
    """
    standing = use_places(target)
    found: dict[Path, tuple[Path, str]] = {}
    for use, path in use_places(source).items():
        found[path] = (standing.get(use, (_NAMES[use],)), f"special use {use.value}")
    archive = standing.get(Use.ARCHIVE, (_NAMES[Use.ARCHIVE],))
    found.update({f.path: (archive, "what no label's folder shows") for f in source if _ALL in f.attributes})
    return found


@dataclass(frozen=True, slots=True)
class Homes:
    """Which folder a message is copied from; ``every``: from each of its labels' folders, as Gmail shows it."""

    by_label: Mapping[bytes, Folder]
    excluded: Mapping[bytes, str]
    every: bool = False

    @classmethod
    def of(cls, plan: FolderPlan, *, every: bool = False) -> "Homes":
        """From the folders that are copied, and those that a rule of the spec leaves out."""
        left_out = [entry for entry in plan.left_out if not entry.source.attributes & VIRTUAL]
        return cls(
            {label: line.source for line in plan.mapped for label in _labels_of(line.source)},
            {label: entry.rule for entry in left_out for label in _labels_of(entry.source)},
            every,
        )

    @staticmethod
    def alone(folder: Folder) -> bool:
        """Whether what lies in the folder is shown nowhere else."""
        return bool(folder.attributes & _ALONE)

    def choose(self, here: Folder, labels: Collection[bytes]) -> Folder | str:
        """The folder that a message seen here is copied from, or the rule that says from none.

        One home: Drafts before the user's own labels, of which the deepest says most, before INBOX, before Sent,
        before All Mail.
        """
        known = [self.by_label[label] for label in labels if label in self.by_label]
        if _ALL not in here.attributes:
            return here if self.every else min([here, *known], key=_order)
        known = [folder for folder in known if _ALL not in folder.attributes]
        if known:
            return min(known, key=_order)
        return next((self.excluded[label] for label in sorted(labels) if label in self.excluded), here)


def _labels_of(folder: Folder) -> Iterable[bytes]:
    if folder.path == INBOX:
        return (b"\\inbox",)
    for attribute, labels in _SYSTEM.items():
        if attribute in folder.attributes:
            return labels
    return () if folder.attributes & {_ALL, *_ALONE} else (folder.raw,)


def _order(folder: Folder) -> tuple[int, int, Path]:
    if "\\drafts" in folder.attributes:
        rank = 0
    elif _ALL in folder.attributes:
        rank = 4
    elif "\\sent" in folder.attributes:
        rank = 3
    else:
        rank = 2 if folder.path == INBOX else 1
    return rank, -len(folder.path), folder.path
