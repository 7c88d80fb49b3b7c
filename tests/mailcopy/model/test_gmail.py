import pytest

from reconciler.mailcopy.model.folder import Folder, Namespace
from reconciler.mailcopy.model.gmail import Homes, Shown, places
from reconciler.mailcopy.model.mapping import FolderRules, map_folders

SLASH = Namespace("", "/")
USED = {
    "[Gmail]/Alle Nachrichten": "\\All",
    "[Gmail]/Entwürfe": "\\Drafts",
    "[Gmail]/Gesendet": "\\Sent",
    "[Gmail]/Markiert": "\\Flagged",
    "[Gmail]/Papierkorb": "\\Trash",
    "[Gmail]/Spam": "\\Junk",
    "[Gmail]/Wichtig": "\\Important",
}


def folders(*names: str, use: dict[str, str] | None = None) -> list[Folder]:
    found = []
    for name in ["INBOX", *names]:
        raw = name.encode("ascii", "ignore")
        attribute = (use or USED).get(name)
        path = tuple(name.split("/"))
        found.append(Folder(raw, path, frozenset({attribute.lower()} if attribute else ())))
    return found


def plan(source: list[Folder], target: list[Folder], **rules):
    return map_folders(source, target, SLASH, FolderRules(usual=places(source, target), **rules))


def where(source: list[Folder], target: list[Folder], **rules) -> dict[str, str]:
    return {line.source.title: "/".join(line.target) for line in plan(source, target, **rules).mapped}


def test_gmails_own_folders_become_ordinary_ones_in_any_language() -> None:
    assert where(folders("Work", *USED), folders(use={})) == {
        "INBOX": "INBOX",
        "Work": "Work",
        "[Gmail]/Alle Nachrichten": "Archive",
        "[Gmail]/Entwürfe": "Drafts",
        "[Gmail]/Gesendet": "Sent",
        "[Gmail]/Papierkorb": "Trash",
        "[Gmail]/Spam": "Junk",
    }


def test_what_the_target_has_for_a_use_is_taken() -> None:
    there = folders("Gesendete Objekte", "Archiv", use={"Archiv": "\\archive"})
    found = where(folders(*USED), there)
    assert (found["[Gmail]/Gesendet"], found["[Gmail]/Alle Nachrichten"]) == ("Gesendete Objekte", "Archiv")


def test_the_spec_is_stronger() -> None:
    found = where(folders(*USED), folders(use={}), into={"[Gmail]/Alle Nachrichten": "Old"}, exclude={"[Gmail]/Spam"})
    assert found["[Gmail]/Alle Nachrichten"] == "Old"
    assert "[Gmail]/Spam" not in found


@pytest.mark.parametrize(
    ("here", "labels", "home"),
    [
        ("INBOX", {b"\\inbox"}, "INBOX"),
        ("INBOX", {b"Work"}, "Work"),
        ("INBOX", {b"Work", b"Work/Deep"}, "Work/Deep"),
        ("INBOX", {b"\\sent", b"\\important", b"unknown"}, "INBOX"),
        ("Work", {b"Zoo", b"\\inbox"}, "Work"),
        ("Work", {b"\\draft"}, "[Gmail]/Entwürfe"),
        ("[Gmail]/Gesendet", {b"\\inbox"}, "INBOX"),
        ("[Gmail]/Alle Nachrichten", {b"\\sent"}, "[Gmail]/Gesendet"),
        ("[Gmail]/Alle Nachrichten", {b"\\starred", b"\\important"}, "[Gmail]/Alle Nachrichten"),
        ("[Gmail]/Alle Nachrichten", set(), "[Gmail]/Alle Nachrichten"),
    ],
)
def test_a_message_has_one_home_wherever_it_is_seen(here: str, labels: set[bytes], home: str) -> None:
    source = folders("Work", "Work/Deep", "Zoo", *USED)
    seen = next(folder for folder in source if folder.title == here)
    assert Homes.of(plan(source, folders(use={}))).choose(seen, labels).title == home


def test_a_message_of_folders_that_are_left_out_only_has_none() -> None:
    source = folders("Lists", *USED)
    homes = Homes.of(plan(source, folders(use={}), exclude={"Lists"}))
    everything = next(folder for folder in source if "\\all" in folder.attributes)
    assert homes.choose(everything, {b"Lists", b"\\important"}) == "the spec excludes Lists"
    assert homes.choose(everything, {b"Lists", b"\\inbox"}).title == "INBOX"


def test_importance_becomes_a_keyword() -> None:
    assert Shown("1", frozenset({b"\\important"})).flags("\\Seen") == "$Important \\Seen"
    assert Shown("1", frozenset({b"\\inbox"})).flags("\\Seen") == "\\Seen"
