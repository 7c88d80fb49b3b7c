from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model import utf7
from reconciler.mailcopy.model.folder import INBOX, Folder, Namespace
from reconciler.mailcopy.model.mapping import FolderRules, map_folders
from reconciler.model.folder_path import from_title, title

DOT = Namespace("", ".")
SLASH = Namespace("", "/")
COURIER = Namespace("INBOX.", ".")


def folders(namespace: Namespace, *names: str, **attributes: str) -> list[Folder]:
    return [Folder.of(namespace, utf7.encode(n), [attributes[n]] if n in attributes else []) for n in ("INBOX", *names)]


def where(plan) -> dict[str, str]:
    return {line.source.title: utf7.decode(line.raw) for line in plan.mapped}


def test_separators_are_translated() -> None:
    plan = map_folders(folders(DOT, "Work", "Work.Größe & Maße"), folders(SLASH), SLASH)
    assert where(plan) == {"INBOX": "INBOX", "Work": "Work", "Work/Größe & Maße": "Work/Größe & Maße"}


def test_a_prefix_is_taken_off_and_put_on() -> None:
    assert where(map_folders(folders(COURIER, "INBOX.Work.A"), folders(SLASH), SLASH))["Work/A"] == "Work/A"
    assert where(map_folders(folders(SLASH, "Work/A"), folders(COURIER), COURIER))["Work/A"] == "INBOX.Work.A"


def test_the_targets_separator_inside_a_name_becomes_an_underscore_and_nothing_is_merged() -> None:
    plan = map_folders(folders(SLASH, "v1.0", "v1_0"), folders(DOT), DOT)
    assert where(plan) == {"INBOX": "INBOX", "v1.0": "v1_0", "v1_0": "v1_0 (2)"}


def test_special_use_goes_by_attribute_before_name() -> None:
    source = folders(SLASH, "Gesendete Objekte", "Sent", **{"Gesendete Objekte": "\\Sent"})
    target = folders(SLASH, "Sent Items", **{"Sent Items": "\\Sent"})
    assert where(map_folders(source, target, SLASH)) == {
        "INBOX": "INBOX",
        "Gesendete Objekte": "Sent Items",
        "Sent": "Sent",
    }


def test_special_use_goes_by_name_in_other_languages_with_the_children() -> None:
    source = folders(SLASH, "Éléments envoyés", "Éléments envoyés/2020", "Papierkorb", "Deeper/Sent")
    target = folders(SLASH, "Sent", "Trash")
    found = where(map_folders(source, target, SLASH))
    assert found["Éléments envoyés"] == "Sent"
    assert found["Éléments envoyés/2020"] == "Sent/2020"
    assert found["Papierkorb"] == "Trash"
    assert found["Deeper/Sent"] == "Deeper/Sent"


def test_of_two_folders_for_one_use_the_second_keeps_its_name() -> None:
    found = where(map_folders(folders(SLASH, "Sent Items", "Sent"), folders(SLASH, "Sent"), SLASH))
    assert found == {"INBOX": "INBOX", "Sent": "Sent", "Sent Items": "Sent Items"}


def test_the_spec_overrides_and_excludes() -> None:
    rules = FolderRules(into={"Old/Stuff": "Archive/2019", "INBOX": "Old Inbox"}, exclude=frozenset({"Cache"}))
    plan = map_folders(folders(SLASH, "Old/Stuff", "Cache", "Cache/deep"), folders(SLASH), SLASH, rules)
    assert where(plan) == {"INBOX": "Old Inbox", "Old/Stuff": "Archive/2019"}
    assert {out.source.title for out in plan.left_out} == {"Cache", "Cache/deep"}


def test_folders_that_show_mail_of_others_are_left_out_with_the_reason() -> None:
    plan = map_folders(folders(SLASH, "All Mail", **{"All Mail": "\\All"}), folders(SLASH), SLASH)
    assert [out.source.title for out in plan.left_out] == ["All Mail"]
    assert "\\all" in plan.left_out[0].rule


def test_other_peoples_trees_are_foreign() -> None:
    namespace = Namespace("", "/", ("Shared/", "user/"))
    assert namespace.is_foreign("Shared/team")
    assert namespace.is_foreign("Shared")
    assert not namespace.is_foreign("Sharedness")


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
paths = st.lists(names.filter(lambda n: n.upper() != "INBOX"), min_size=1, max_size=3).map(tuple)


@given(st.sets(paths, max_size=8), st.sampled_from([DOT, COURIER, SLASH, Namespace("", "")]))
def test_no_two_folders_become_one_and_every_name_can_be_sent(wanted: set[tuple[str, ...]], target: Namespace) -> None:
    separator = "\x1f"
    source = [Folder(b"x", path) for path in wanted] + [Folder(b"INBOX", INBOX)]
    plan = map_folders(source, [], target)
    raws = [line.raw for line in plan.mapped]
    assert len(set(raws)) == len(source)
    assert separator not in "".join(map(utf7.decode, raws))
    for line in plan.mapped:
        assert target.path(utf7.decode(line.raw)) == line.target


@given(paths)
def test_titles_come_back(path: tuple[str, ...]) -> None:
    assert from_title(title(path)) == path


def test_a_name_that_the_target_refused_becomes_a_plain_one_with_all_below_it_and_nothing_is_merged() -> None:
    source = folders(SLASH, "a*b", "a*b/c", "a%b", "a_b", "v1.0")
    unwanted = {folder.path: 1 for folder in source if "*" in folder.title or "%" in folder.title}
    found = where(map_folders(source, folders(SLASH), SLASH, unwanted=unwanted))
    assert found == {
        "INBOX": "INBOX",
        "a%b": "a_b (2)",
        "a*b": "a_b (3)",
        "a*b/c": "a_b (3)/c",
        "a_b": "a_b",
        "v1.0": "v1.0",
    }


def test_a_plain_name_is_found_again_on_the_target() -> None:
    source = folders(SLASH, "a*b", "a*b/c", "a%b", "a_b", "v1.0")
    standing = folders(SLASH, "a_b", "a_b (2)", "a_b (3)", "a_b (3)/c", "v1_0")
    again = where(map_folders(source, standing, SLASH))
    assert again["a*b/c"] == "a_b (3)/c"
    assert again["v1.0"] == "v1_0"
    assert len(set(again.values())) == len(again)


def test_on_the_way_back_a_plain_name_finds_the_folder_that_it_was_made_of() -> None:
    held = folders(SLASH, "v1.0", "Work", "a*b", "a_b")
    assert where(map_folders(folders(DOT, "v1_0", "Work", "a_b"), held, SLASH)) == {
        "INBOX": "INBOX",
        "Work": "Work",
        "a_b": "a_b",
        "v1_0": "v1.0",
    }
