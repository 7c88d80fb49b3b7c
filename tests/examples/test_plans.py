"""Every example is walked through its stages; what the commands say stands beside it, for people to read.

``make golden`` writes these files anew. Only the end of a generated DKIM key is not what was really said.
"""

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from pathlib import Path

import pytest

from reconciler.cli.exit_codes import Code
from reconciler.model.stage import Stage
from tests.support.walk import EXAMPLES, LIBRARY, MOST_WAITS, NAMES, ON_THE_NETWORK, Walk

WRITE = os.environ.get("RECONCILER_GOLDEN") == "write"
STAGES = {name: tuple(stage for stage in Stage if stage < Stage.DECOMMISSION) for name in NAMES}
STAGES["catch-all"] = tuple(Stage)  # its spec confirms the last one
ANN_MOVES, BOB_MOVES = datetime(2026, 3, 3, 8, tzinfo=UTC), datetime(2026, 3, 5, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No local times beside those in UTC, and no colours."""
    for variable in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Tale:
    """What is typed and what is answered, from one stage to the next."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.parts: list[str] = []

    def now(self, what: str) -> None:
        self.parts.append(f"# {self.walk.clock.now():%Y-%m-%d %H:%M} UTC: {what}\n")

    def plan(self) -> Code:
        code, said = self.walk.plan()
        self._command("plan migration.yaml", code, said)
        return code

    def apply(self) -> Code:
        """Only what it says beyond the plan, which stands above."""
        code, said = self.walk.apply()
        beyond = dropwhile(lambda line: not line.startswith("["), said.splitlines(keepends=True))
        self._command("apply --yes migration.yaml", code, "".join(beyond))
        return code

    def settle(self) -> None:
        """Plan, wait where it waits, apply, and plan again, until there is nothing to do or a person must decide."""
        for _ in range(MOST_WAITS):
            code = self.plan()
            if code in (Code.DONE, Code.BLOCKED):
                return
            if code is Code.WAITING:
                assert self.walk.apply()[0] is Code.WAITING
                self.walk.wait()
                self.now("the time has come")
            else:
                assert code is Code.CHANGES
                self.apply()
        raise AssertionError("".join(self.parts))

    def text(self) -> str:
        return re.sub(r"DKIM key …\w+", "DKIM key …xQIDAQAB", "\n".join(self.parts))

    def _command(self, command: str, code: Code, said: str) -> None:
        self.parts.append(f"$ reconciler {command}\n{said}(exit code {int(code)}: {MEANING[code]})\n")


MEANING = {
    Code.DONE: "nothing to do, or all done",
    Code.CHANGES: "changes can run now",
    Code.WAITING: "waiting, which is no failure",
    Code.BLOCKED: "a person must decide",
}


def test_every_example_is_walked() -> None:
    assert sorted(NAMES + ON_THE_NETWORK + LIBRARY) == sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_the_plans_of_an_example_are_those_beside_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Walk(name, tmp_path / name, spec=Path("migration.yaml"))
    monkeypatch.chdir(tmp_path / name)
    told = {f"{stage.value}-{stage.label}.txt": told_of(walk, name, stage) for stage in STAGES[name]}
    beside = EXAMPLES / name / "plans"
    if WRITE:
        beside.mkdir(exist_ok=True)
        for stale in beside.iterdir():
            stale.unlink()
        for file, text in told.items():
            (beside / file).write_text(text)
    assert {path.name: path.read_text() for path in beside.iterdir()} == told, "stale: make golden, and read the diff"


def told_of(walk: Walk, name: str, stage: Stage) -> str:
    tale = Tale(walk)
    walk.enter(stage)
    tale.now(f"the spec says stage: {stage.label}")
    tale.settle()
    if name == "forward-and-retain":
        people_move(tale, stage)
    assert tale.walk.plan()[0] is Code.DONE
    return tale.text()


def people_move(tale: Tale, stage: Stage) -> None:
    """Ann and Bob on the days that the spec names, Cleo when her line is changed."""
    if stage is Stage.CUTOVER:
        for at, who in ((ANN_MOVES, "Ann"), (BOB_MOVES, "Bob")):
            tale.walk.clock.advance(at - tale.walk.clock.now())
            tale.now(f"from today on {who} reads on the new server, as the spec says")
            tale.settle()
    if stage is Stage.HARDEN:
        assert tale.walk.plan()[0] is Code.BLOCKED
        tale.walk.clock.advance(timedelta(days=1))
        tale.walk.edit(r"(cleo@mail.old.example\n    moved:) false", r"\1 true ")
        tale.now("Cleo has moved, too, and her line says moved: true")
        tale.settle()
