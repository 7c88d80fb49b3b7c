"""Which folder of the target each folder of the source is copied into."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.folder import INBOX, Folder, Namespace
from reconciler.mailcopy.model.special_use import NOT_MAIL, VIRTUAL, Use, rank, use_of
from reconciler.model.folder_path import Path, from_title, title

_LONGEST_NAME = 200
"""Octets of one name on the wire: file systems stop at 255, and servers add to it."""

_ODD = re.compile(r'[!"%&*./:;<>?\\^`{|}~]|^ | $|[^\u0000-\uffff]')
"""What one of the servers does not allow in a name: Cyrus 3.6 most of these, Courier 5.0 slashes and whatever UTF-16
writes as two units (emoji), Dovecot with Maildir dots, others an ampersand or a space at an end."""

_NOT_ASCII = re.compile(r"[^\x20-\x7e]")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FolderRules:
    """What the spec says: ``into`` maps titles to titles; ``exclude`` lists titles, each with all below it.

    ``usual``: where the source's own folders go if the spec is silent, with the reason.
    """

    into: Mapping[str, str] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()
    usual: Mapping[Path, tuple[Path, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """One line of the folder plan; ``exists`` tells whether the target has the folder already."""

    source: Folder
    target: Path
    raw: bytes
    exists: bool
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A folder that is not copied, and the rule that says so."""

    source: Folder
    rule: str


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """Where everything goes; no two folders go into one unless the spec says so."""

    mapped: tuple[Mapped, ...]
    left_out: tuple[LeftOut, ...]


def map_folders(
    source: Sequence[Folder],
    target: Sequence[Folder],
    namespace: Namespace,
    rules: FolderRules | None = None,
    unwanted: Mapping[Path, int] | None = None,
    *,
    folds_case: bool = False,
) -> FolderPlan:
    """Rules first, then INBOX, then special use by attribute and by name, then the same name.

    ``namespace`` is the target's. A name that the target could not hold is changed, see ``_fitting``; where that would
    make two folders one, the later gets a number. ``unwanted``: source folders whose names the target has refused, and
    how often, see ``plainer``; where it holds them already by their plainer names, they are found again without. On the
    way back a plain name finds the folder that it was made of. ``folds_case``: to the target, two names that differ in
    case alone are one.
    """
    rules, unwanted = rules or FolderRules(), unwanted or {}
    folders = sorted((folder for folder in source if folder.selectable), key=lambda f: f.path)
    left_out = tuple(LeftOut(folder, rule) for folder in folders if (rule := _excluded(folder, rules)))
    out = {entry.source.path for entry in left_out}
    going = [folder for folder in folders if folder.path not in out]
    chosen = _chosen(going, target, rules)
    standing = {folder.path: folder for folder in target if folder.selectable}
    taken = _Taken((path for path, _ in chosen.values()), standing, folds_case=folds_case)
    by_plain: dict[Path, list[Path]] = defaultdict(list)
    for held in standing:
        by_plain[plain(held)].append(held)
    exact = {_fitting(folder.path, namespace) for folder in going}
    for folder in going:
        if folder.path not in chosen:
            below = _under(folder.path, chosen)
            fitting = _fitting(below, namespace)
            path = taken.free(fitting)
            if path not in standing:
                asked = unwanted.get(folder.path, 0)
                others = [other for level in (1, 2) if (other := plainer(fitting, level)) != fitting]
                simple = [taken.free(other, exact) for other in dict.fromkeys(others)]
                if found := next((p for n, p in enumerate(simple, 1) if p in standing or n == asked), None):
                    path = found
                else:  # the way back: the plain name was made of one that this server holds
                    path = next((p for p in by_plain.get(path, ()) if p not in taken.paths | exact), path)
            chosen[folder.path] = (path, _why(folder.path, below, fitting, path))
            taken.paths.add(path)
    return FolderPlan(tuple(_line(f, *chosen[f.path], standing, namespace) for f in going), left_out)


def plain(path: Path) -> Path:
    """The path in names that every server takes: whatever one of them is known to refuse becomes ``_``."""
    return tuple(_ODD.sub("_", name) for name in path)


def plainer(path: Path, level: int) -> Path:
    """What is tried when a server has refused the path once, and twice: plain names, and plain names of ASCII alone."""
    if level < 2:  # noqa: PLR2004 - as said
        return plain(path)
    return plain(tuple(_NOT_ASCII.sub("_", _without_accents(name)) for name in path))


def _without_accents(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def alike(plan: FolderPlan, target: Iterable[Folder]) -> bool:
    """Whether two folders that are not one would be one on a target that does not tell upper case from lower."""
    paths = {line.target for line in plan.mapped} | {folder.path for folder in target}
    return len({_folded(path) for path in paths}) < len(paths)


def clash(lines: Iterable[Mapped], others: Iterable[Folder]) -> bool:
    """Whether one of the lines goes where another folder is, if case makes no difference."""
    held = {_folded(folder.path) for folder in others}
    return any(_folded(line.target) in held for line in lines)


class _Taken:
    """The paths that are given away; ``standing`` are on the target already."""

    def __init__(self, paths: Iterable[Path], standing: Iterable[Path], *, folds_case: bool) -> None:
        self.paths = set(paths)
        self._standing = set(standing)
        self._folds = folds_case

    def free(self, path: Path, others: Iterable[Path] = ()) -> Path:
        """The path, or with the first number that nothing else has."""
        taken = self.paths | set(others)
        folded = {_folded(each) for each in taken} if self._folds else set()
        held = {_folded(each) for each in self._standing - taken} if self._folds else set()
        number, free = 2, path
        while free in taken or (self._folds and _meets(free, folded, held, self._standing)):
            free = (*path[:-1], f"{path[-1]} ({number})")
            number += 1
        return free


def _meets(path: Path, folded: set[Path], held: set[Path], standing: set[Path]) -> bool:
    """Whether a server that folds case would find another folder by the name."""
    return _folded(path) in folded or (path not in standing and _folded(path) in held)


def _folded(path: Path) -> Path:
    return tuple(name.casefold() for name in path)


def _why(own: Path, below: Path, fitting: Path, path: Path) -> str:
    if path == own:
        return "same name"
    if path == below:
        return "below a folder that is mapped"
    numbered = path[:-1] == fitting[:-1] and path[-1].startswith(f"{fitting[-1]} (")
    return "another folder has that name on the target" if numbered else "the target cannot hold the name"


def _line(source: Folder, path: Path, why: str, standing: Mapping[Path, Folder], namespace: Namespace) -> Mapped:
    there = standing.get(path)
    raw = there.raw if there else utf7.encode(namespace.name(path))
    return Mapped(source, path, raw, there is not None or path == INBOX, why)


def _chosen(source: Iterable[Folder], target: Sequence[Folder], rules: FolderRules) -> dict[Path, tuple[Path, str]]:
    """The folders whose place a rule, INBOX or their use decides."""
    source = tuple(source)
    uses = _by_use(target)
    elected = {folder.path: use for use, folder in _by_use(source).items()}
    chosen: dict[Path, tuple[Path, str]] = {}
    for folder in source:
        if folder.title in rules.into:
            wanted = from_title(rules.into[folder.title])
            chosen[folder.path] = (INBOX if title(wanted).upper() == "INBOX" else wanted, "the spec says so")
        elif folder.path == INBOX:
            chosen[folder.path] = (INBOX, "INBOX is INBOX")
        elif folder.path in rules.usual:
            chosen[folder.path] = rules.usual[folder.path]
        elif (use := elected.get(folder.path)) and use in uses:
            chosen[folder.path] = (uses[use].path, f"special use {use.value}")
    return chosen


def _excluded(folder: Folder, rules: FolderRules) -> str:
    for cut in range(len(folder.path), 0, -1):
        if title(folder.path[:cut]) in rules.exclude:
            return f"the spec excludes {title(folder.path[:cut])}"
    if noted := folder.attributes & NOT_MAIL.keys():
        return NOT_MAIL[min(noted)]
    if virtual := folder.attributes & VIRTUAL:
        if folder.title in rules.into or folder.path in rules.usual:
            return ""
        return f"{min(virtual)} shows messages of other folders (RFC 6154)"
    return ""


def use_places(folders: Iterable[Folder]) -> dict[Use, Path]:
    """The path of the folder for each use."""
    return {use: folder.path for use, folder in _by_use(folders).items()}


def _by_use(folders: Iterable[Folder]) -> dict[Use, Folder]:
    """For each use the one folder: by attribute before by name, and the commonest name."""
    found: dict[Use, tuple[tuple[bool, int], Folder]] = {}
    for folder in folders:
        known = use_of(folder.path, folder.attributes) if folder.selectable else None
        if known is None:
            continue
        use, by_attribute = known
        order = (not by_attribute, rank(folder.path))
        if use not in found or order < found[use][0]:
            found[use] = (order, folder)
    return {use: folder for use, (_, folder) in found.items()}


def _under(path: Path, chosen: Mapping[Path, tuple[Path, str]]) -> Path:
    """The path below where its nearest mapped parent goes; children of INBOX stay where they are."""
    for cut in range(len(path) - 1, 0, -1):
        if path[:cut] != INBOX and path[:cut] in chosen:
            return chosen[path[:cut]][0] + path[cut:]
    return path


def _fitting(path: Path, namespace: Namespace) -> Path:
    """The path in names that the target can hold: its separator and control characters become ``_``, long ones are cut.

    A target without hierarchy gets one name, joined by ``_``.
    """
    names = tuple(_fit(name, namespace.separator) for name in path)
    return names if namespace.separator else ("_".join(names),)


def _fit(name: str, separator: str) -> str:
    plain = _CONTROL.sub("_", name.replace(separator, "_") if separator else name)
    if plain.strip(". ") == "" or plain[0] in "~/":
        plain = "_" + plain[1:]
    while len(utf7.encode(plain)) > _LONGEST_NAME:
        plain = plain[:-1]
    return plain
