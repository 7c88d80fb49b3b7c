"""The contract of our own on imports: it holds for what it should, and breaks where it must."""

import pytest
from grimp import ImportGraph

from tests.support.private_modules import PrivateModules, owner_of


def broken(*imports: tuple[str, str]) -> list[tuple[str, str]]:
    graph = ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    contract = PrivateModules("private", {"root_packages": ["a"]}, {})
    check = contract.check(graph, verbose=False)
    found: list[tuple[str, str]] = check.metadata["broken"]
    assert check.kept is not bool(found)
    return found


def test_a_package_may_import_its_own_private_modules_and_so_may_what_lies_below_it() -> None:
    assert broken(("a.b.c", "a.b._d"), ("a.b", "a.b._d"), ("a.b.c.e", "a.b._d"), ("a.x", "a.b.c")) == []


@pytest.mark.parametrize("importer", ["a.x", "a", "a.bc.d", "a.x.y"])
def test_nobody_else_may(importer: str) -> None:
    assert broken((importer, "a.b._d")) == [(importer, "a.b._d")]


def test_what_lies_inside_of_a_private_package_is_private_too() -> None:
    assert broken(("a.x", "a._b.c")) == []
    assert broken(("a.b.x", "a.b._c.d"), ("a.x", "a.b._c.d")) == [("a.x", "a.b._c.d")]
    assert owner_of("a.b.__init__") is None
