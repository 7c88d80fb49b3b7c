"""Every example is walked through its stages; what the commands say stands beside it, for people to read.

``make golden`` writes these files anew. Only the end of a generated DKIM key is not what was really said.
"""

import base64
import os
import re
import string
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, repeat
from pathlib import Path

import pytest

from reconciler.cli.exit_codes import Code
from reconciler.formats.mail_server import dkim_key_file
from reconciler.model.stage import Stage
from reconciler.render.phrases.records import key_ending
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


_SHOWN = len(key_ending(string.ascii_letters)) - len("…")
_KEY_ENDING = re.compile(rf"(?<=key …)[A-Za-z0-9+/]{{{_SHOWN}}}(?![A-Za-z0-9+/=])")


def masked(text: str) -> str:
    """The text with one and the same ending of every DKIM key: base64, without padding for keys of 2048 bits."""
    return _KEY_ENDING.sub("xQIDAQAB", text)


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
        return masked("\n".join(self.parts))

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


def of_exponent(modulus: int) -> str:
    """The ending of a key whose modulus ends in this octet; its exponent, 65537, comes after that."""
    return key_ending(base64.b64encode(bytes([0, 0, 0, modulus, 2, 3, 1, 0, 1])).decode())


def test_every_ending_that_a_key_can_have_is_masked() -> None:
    endings = {of_exponent(modulus) for modulus in range(1, 256, 2)}
    assert "…+QIDAQAB" in endings
    assert "…/wIDAQAB" in endings
    assert {masked(f"DKIM key {ending}, 2048 bits") for ending in endings} == {"DKIM key …xQIDAQAB, 2048 bits"}


def test_a_masked_ending_is_as_long_as_it_is_shown_and_stands_alone() -> None:
    assert masked("DKIM key …/wIDAQAB -> key …+QIDAQAB, 2048 bits") == "DKIM key …xQIDAQAB -> key …xQIDAQAB, 2048 bits"
    for wrong in ("key …wIDAQAB,", "key …x/wIDAQAB,", "key …/wIDAQAB=,", "key …"):
        assert masked(wrong) == wrong


def test_the_plans_are_the_same_when_the_key_ends_in_an_unlucky_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key of 32 ends in ``+`` or ``/`` and seven characters."""
    unlucky = next(
        key for key in map(dkim_key_file.generated, repeat(2048)) if dkim_key_file.public(key)[-_SHOWN] in "+/"
    )
    monkeypatch.setattr(dkim_key_file, "generated", lambda bits: unlucky)
    walk = Walk("quickstart", tmp_path / "quickstart", spec=Path("migration.yaml"))
    monkeypatch.chdir(tmp_path / "quickstart")
    beside = EXAMPLES / "quickstart" / "plans"
    for stage in (Stage.PREPARE, Stage.OVERLAP):
        assert told_of(walk, "quickstart", stage) == (beside / f"{stage.value}-{stage.label}.txt").read_text()
    served = (tmp_path / "quickstart" / "example.org.zone").read_text().replace('" "', "")
    assert dkim_key_file.public(unlucky) in served


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
