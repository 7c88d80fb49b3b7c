"""What the package has besides modules: whoever installs it gets that too."""

from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = files("reconciler")


def test_type_checkers_of_other_projects_may_use_the_types() -> None:
    assert PACKAGE.joinpath("py.typed").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "resources/server/templates/forward.sieve.j2",
        "render/templates/plan.html.j2",
        "cli/demo_files/migration.yaml",
        "cli/demo_files/example.org.zone",
        "cli/demo_files/new/opendkim/keys/README",
    ],
)
def test_templates_and_the_demo_are_beside_the_modules_that_read_them(name: str) -> None:
    assert PACKAGE.joinpath(*name.split("/")).is_file()
