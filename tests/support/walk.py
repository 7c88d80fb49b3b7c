"""A copy of an example, taken from stage to stage by the commands themselves, with a clock that the test owns."""

import io
import re
import shutil
from datetime import datetime
from pathlib import Path

from reconciler.app.session import open_session
from reconciler.cli.exit_codes import Code
from reconciler.cli.run.apply import run_apply
from reconciler.cli.run.plan import run_plan
from reconciler.cli.run.rollback import run_rollback
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.manner import Manner
from reconciler.model.stage import Stage
from tests.support.clock import MONDAY_MORNING, FakeClock

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("quickstart", "same-host-name", "forward-and-retain", "catch-all")
# their servers are not files: they are only validated
ON_THE_NETWORK = ("copy-only", "from-gmail", "mail-in-a-box", "over-ssh")
# a script for the specs of the others; tests/test_api.py runs it
LIBRARY = ("library",)
MOST_WAITS = 9  # more would mean that a plan never settles


class Walk:
    """``folder`` must not exist yet; ``spec`` may be told apart from it, for relative paths in what is shown."""

    def __init__(self, name: str, folder: Path, spec: Path | None = None, start: datetime = MONDAY_MORNING) -> None:
        shutil.copytree(EXAMPLES / name, folder, symlinks=True, ignore=shutil.ignore_patterns("plans"))
        self.folder = folder
        self.spec = spec or folder / "migration.yaml"
        self.clock = FakeClock(start)

    def edit(self, pattern: str, replacement: str) -> None:
        """Exactly one place of the spec, as a person does between two commands."""
        text, number = re.subn(pattern, replacement, self.spec.read_text(), flags=re.MULTILINE)
        assert number == 1, f"{pattern}: {number} places"
        self.spec.write_text(text)

    def enter(self, stage: Stage) -> None:
        self.edit(r"^stage: \w+", f"stage: {stage.label}")

    def plan(self) -> tuple[Code, str]:
        """The exit code, and all that is said."""
        said, console = _console()
        return run_plan([self.spec], self.clock, console), said.getvalue()

    def apply(self) -> tuple[Code, str]:
        said, console = _console()
        return run_apply([self.spec], self.clock, Manner(console, sure=True)), said.getvalue()

    def roll_back(self) -> tuple[Code, str]:
        said, console = _console()
        return run_rollback(self.spec, self.clock, Manner(console, sure=True)), said.getvalue()

    def wait(self) -> None:
        """Until the time that the plan names."""
        with open_session(self.spec, self.clock) as session, session.move.past() as past:
            at = session.plan(session.look(past)).next_time
        assert at is not None, "nothing waits for a known time"
        self.clock.advance(at - self.clock.now())

    def reach(self, stage: Stage) -> None:
        """Apply and wait until the stage stands."""
        self.enter(stage)
        said = ""
        for _ in range(MOST_WAITS):
            code, said = self.apply()
            if code is Code.DONE:
                return
            assert code is Code.WAITING, said
            self.wait()
        raise AssertionError(said)


def _console() -> tuple[io.StringIO, Console]:
    said = io.StringIO()
    return said, Console(said, said, io.StringIO(), color=False)
