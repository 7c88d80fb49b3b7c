from reconciler.mailcopy.judge.closing import close
from reconciler.mailcopy.model.folder import Folder
from reconciler.mailcopy.model.mapping import FolderPlan, FolderRules, LeftOut, Mapped
from reconciler.model.grade import Difference, Grade, Kind


def folder(name: str) -> Folder:
    return Folder(name.encode(), tuple(name.split("/")))


def into(name: str, target: str) -> Mapped:
    return Mapped(folder(name), tuple(target.split("/")), target.encode(), exists=True, why="")


def closed(names: list[str], plan: FolderPlan, rules: FolderRules | None = None) -> list[Difference]:
    return list(close({name.encode(): folder(name) for name in names}, plan, rules or FolderRules(), {b"A": 7}))


def test_every_folder_that_is_listed_goes_somewhere_or_is_left_out() -> None:
    plan = FolderPlan((into("A", "A"),), (LeftOut(folder("B"), "a rule"),))
    assert closed(["A", "B"], plan) == []


def test_one_that_no_plan_names_is_missing_with_all_it_holds() -> None:
    (found,) = closed(["A", "B"], FolderPlan((into("B", "B"),), ()))
    assert (found.folder, found.kind, found.count, found.grade) == ("A", Kind.MISSING, 7, Grade.POOR)


def test_one_that_is_named_twice_keeps_the_grade_from_perfect() -> None:
    plan = FolderPlan((into("A", "A"),), (LeftOut(folder("A"), "a rule"),))
    assert [found.kind for found in closed(["A"], plan)] == [Kind.UNJUDGED]


def test_two_go_into_one_only_where_a_rule_says_so() -> None:
    plan = FolderPlan((into("A", "A"), into("B", "A")), ())
    (found,) = closed(["A", "B"], plan)
    assert (found.folder, found.kind, found.grade) == ("B", Kind.UNJUDGED, Grade.INVESTIGATE)
    assert closed(["A", "B"], plan, FolderRules(into={"B": "A"})) == []
    assert closed(["A", "B"], plan, FolderRules(usual={("A",): (("A",), "special use")})) == []
