"""A folder is its raw name: whatever names a server shows, no two of them become one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.folder import INBOX, Folder, Namespace, distinct
from reconciler.mailcopy.model.mapping import FolderRules, alike, map_folders

COURIER = Namespace("INBOX.", ".")
SLASH = Namespace("", "/")
NAMESPACES = st.sampled_from(
    [
        SLASH,
        COURIER,
        Namespace("", "."),
        Namespace("", ""),
        Namespace("", "/", (), ("Archive.",)),
        Namespace("INBOX/", "/"),
    ]
)
WORDS = st.sampled_from(
    [
        "INBOX",
        "Inbox",
        "inbox",
        "Work",
        "work",
        "WORK",
        "R&D",
        "R&-D",
        "a.b",
        "a/b",
        "Work (2)",
        "Löbe",
        "L&APY-be",
        " ",
        "*",
    ]
)
RAW = st.one_of(
    st.lists(WORDS, min_size=1, max_size=3).flatmap(
        lambda names: st.sampled_from([".", "/"]).map(lambda cut: cut.join(names).encode())
    ),
    st.binary(min_size=1, max_size=6).filter(lambda raw: not any(octet in raw for octet in b"\0\r\n")),
    st.sampled_from([b"L\xf6be", "Löbe".encode(), b"INBOX.INBOX", b"INBOX.Inbox", b"INBOX.Work", b"&", b"&&"]),
)


def survey(namespace: Namespace, raws: set[bytes]) -> tuple[Folder, ...]:
    own = {b"INBOX" if raw.upper() == b"INBOX" else raw for raw in raws} | {b"INBOX"}
    return distinct((Folder.of(namespace, raw) for raw in sorted(own)), namespace)


@given(NAMESPACES, st.sets(RAW, max_size=10))
def test_no_two_raw_names_become_one_path_or_one_title(namespace, raws) -> None:
    found = survey(namespace, raws)
    assert len({folder.path for folder in found}) == len({folder.title for folder in found}) == len(found)
    assert [folder.raw for folder in found if folder.path == INBOX] == [b"INBOX"]


@given(NAMESPACES, st.sets(RAW, max_size=10), NAMESPACES, st.sets(RAW, max_size=6), st.booleans())
def test_no_two_folders_go_into_one_whatever_stands_on_the_target(here, raws, there, standing, folds) -> None:
    source, target = survey(here, raws), survey(there, standing)
    plan = map_folders(source, target, there, FolderRules(), folds_case=folds)
    into = [line.raw for line in plan.mapped]
    assert len(into) == len(source)
    assert len(set(into)) == len(into)
    assert {line.source.raw for line in plan.mapped if line.raw.upper() == b"INBOX"} == {b"INBOX"}
    if folds:
        new = {line.target for line in plan.mapped if not line.exists}
        assert len({tuple(name.casefold() for name in path) for path in new}) == len(new)


@given(NAMESPACES, st.sets(RAW, max_size=10), NAMESPACES)
def test_the_second_pass_finds_every_folder_that_the_first_one_made(here, raws, there) -> None:
    source = survey(here, raws)
    first = map_folders(source, survey(there, set()), there)
    made = distinct((Folder.of(there, line.raw) for line in first.mapped), there)
    again = map_folders(source, made, there)
    assert [(line.source.raw, line.raw) for line in again.mapped] == [
        (line.source.raw, line.raw) for line in first.mapped
    ]


@pytest.mark.parametrize(
    ("namespace", "raw", "path"),
    [
        (COURIER, b"INBOX.Work", ("Work",)),
        (COURIER, b"INBOX", INBOX),
        (COURIER, b"inbox", INBOX),
        (COURIER, b"INBOX.INBOX", ("INBOX", "INBOX")),
        (COURIER, b"INBOX.Inbox", ("INBOX", "Inbox")),
        (SLASH, b"INBOX/INBOX", ("INBOX", "INBOX")),
        (SLASH, b"R&D", ("R&D",)),
        (SLASH, b"R&-D", ("R&D",)),
        (SLASH, "Löbe".encode(), ("Löbe",)),
        (SLASH, b"L\xf6be", ("Löbe",)),
    ],
)
def test_names_are_read_whatever_their_spelling(namespace, raw, path) -> None:
    assert Folder.of(namespace, raw).path == path


def test_a_folder_beside_the_prefix_is_another_than_the_one_below_it() -> None:
    titles = {folder.raw: folder.title for folder in survey(COURIER, {b"Work", b"INBOX.Work"})}
    assert titles == {b"INBOX": "INBOX", b"INBOX.Work": "Work", b"Work": "Work (2)"}


def test_a_folder_of_another_namespace_has_the_separator_that_its_row_tells() -> None:
    assert Folder.of(SLASH, b"virtual.All", separator=".").path == ("virtual", "All")


def test_a_target_that_folds_case_gets_another_name() -> None:
    source = survey(SLASH, {b"projects", b"Work", b"work"})
    target = survey(SLASH, {b"Projects"})
    assert alike(map_folders(source, target, SLASH), target)
    plan = map_folders(source, target, SLASH, folds_case=True)
    into = {line.source.title: utf7.decode(line.raw) for line in plan.mapped}
    assert into == {"INBOX": "INBOX", "Work": "Work", "projects": "projects (2)", "work": "work (2)"}
    assert not alike(plan, target)


def test_a_name_that_is_refused_twice_becomes_one_of_plain_ascii() -> None:
    source = survey(SLASH, {utf7.encode("Löbe & Ø")})
    by_times = {
        times: map_folders(source, survey(SLASH, set()), SLASH, unwanted={("Löbe & Ø",): times}).mapped[-1].target
        for times in (0, 1, 2)
    }
    assert by_times == {0: ("Löbe & Ø",), 1: ("Löbe _ Ø",), 2: ("Lobe _ _",)}
