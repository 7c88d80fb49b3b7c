import subprocess
import sys

import pytest

HEAVY = {"pydantic", "sqlalchemy", "paramiko", "rich", "reconciler.mailcopy.files"}


@pytest.mark.parametrize("module", ["reconciler.mailcopy.fleet", "reconciler.mailcopy.ledger.sqlite"])
def test_a_pass_over_imap_begins_without_what_it_does_not_use(module: str) -> None:
    """Importing any of these takes longer than a pass over an unchanged mailbox."""
    program = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert HEAVY & set(done.stdout.split()) == set()
