"""What docs/extending.md promises: one new file, and nothing else is told."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = """\
import sys
import reconciler.resources.dns as family
family.__path__.append(sys.argv[1])
from reconciler.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def planned(spec: Path, *options: str, more: Path) -> str:
    """The plan with the record kinds of one more folder."""
    argv = [sys.executable, "-c", PROGRAM, str(more), "plan", str(spec), *options]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    return done.stdout


def test_the_record_kind_of_the_documentation_is_planned_for_as_it_stands_there(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "extending.md").read_text()
    found = re.search(r"`reconciler/resources/dns/(\w+\.py)`, whole:\n\n```python\n(.+?)```", text, re.DOTALL)
    assert found
    more = tmp_path / "more"
    more.mkdir()
    world = shutil.copytree(ROOT / "examples" / "quickstart", tmp_path / "world")
    wanted = "+ TXT _smtp._tls.example.org"
    assert wanted not in planned(world / "migration.yaml", "--stage", "cutover", more=more)
    (more / found[1]).write_text(found[2])
    shown = planned(world / "migration.yaml", "--stage", "cutover", more=more)
    assert wanted in shown.partition("\ncutover\n")[2]
    assert "v=TLSRPTv1; rua=mailto:postmaster@example.org" in shown
