"""The demo, from the first plan to the last rollback, with a clock that the test owns."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.demo_world import files, write_world
from reconciler.cli.exit_codes import Code
from reconciler.cli.run.apply import run_apply
from reconciler.cli.run.demo import run_demo
from reconciler.cli.run.plan import run_plan
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.manner import Manner
from reconciler.errors import ReconcilerError
from tests.support.clock import FakeClock

KEYS = Path("new/opendkim/keys")
SERIAL = re.compile(rb"\d+(?=\s*; serial)")


class Listening(io.StringIO):
    """All that is said, and the private keys that stood on the server while it was said."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.keys: set[str] = set()
        self._folder = folder / KEYS

    def write(self, text: str) -> int:
        self.keys |= {path.read_text() for path in self._folder.glob("*.private")}
        return super().write(text)


@dataclass(frozen=True)
class Played:
    """One run of the demo: what it returned and said, and the world that it began with and left."""

    folder: Path
    code: Code
    said: str
    keys: set[str]
    hashes: set[str]


def console_to(stream: io.StringIO) -> Console:
    return Console(stream, stream, io.StringIO(), color=False)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo") / "world"
    stream = Listening(folder)
    code = run_demo(folder, FakeClock(), console_to(stream))
    users = "".join((folder / place / "users").read_text() for place in ("old", "new"))
    return Played(folder, code, stream.getvalue(), stream.keys, set(re.findall(r"\{[A-Z0-9-]+\}([^:\n]+)", users)))


def secrets(of: Played) -> Iterator[str]:
    """Each hash, and each line of each private key after the modulus, which is public."""
    assert len(of.hashes) > 2
    assert of.keys
    yield from of.hashes
    for key in of.keys:
        lines = key.splitlines()
        assert len(lines) > 24
        yield lines[0]
        yield from lines[8:]


def test_it_ends_well_after_four_stages_and_the_way_back(played: Played) -> None:
    assert played.code is Code.DONE, played.said
    headings = re.findall(r"^=== (.+) ===$", played.said, re.MULTILINE)
    assert [h for h in headings if h.startswith("Stage")] == [
        "Stage prepare",
        "Stage overlap",
        "Stage cutover",
        "Stage harden",
    ]
    assert "And all the way back" in headings


def test_every_stage_shows_a_plan_an_apply_and_an_empty_plan(played: Played) -> None:
    for part in played.said.split("=== Stage ")[1:]:
        stage = part.split(" ")[0]
        assert re.search(r"^\$ reconciler plan .*\n(?s:.)+?^\$ reconciler apply ", part, re.MULTILINE), stage
        assert "A second plan finds nothing to do:" in part, stage
        assert f"plan to {stage}" in part
        last = part.split("A second plan finds nothing to do:")[1]
        assert "\nNothing to do; the next stage is " in last, stage
        assert "written. Read again: nothing to do" in part


def test_it_says_where_a_real_move_would_wait_and_who_owns_the_clock(played: Played) -> None:
    assert re.search(r"\*\*\* A real move waits here until \d{4}-\d\d-\d\d \d\d:\d\d UTC, that is \d+ h", played.said)
    assert "The demo owns the\n*** clock" in played.said


def test_what_waits_on_the_way_back_is_rolled_back_again_and_not_applied(played: Played) -> None:
    back = played.said.split("=== And all the way back ===")[1]
    assert re.search(r"^Next: roll back again after \d{4}-", back, re.MULTILINE)
    assert "apply again" not in back


def test_every_file_is_restored_but_for_the_serial_that_may_only_rise(played: Played, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    write_world(fresh, FakeClock().now())
    before, after = files(fresh), files(played.folder)
    zone = "example.org.zone"
    assert SERIAL.sub(b"", before.pop(zone)) == SERIAL.sub(b"", after.pop(zone))
    assert before == after
    assert len(before) > 20
    assert f"{len(before)} files are byte for byte what they were." in played.said


def test_neither_a_hash_nor_a_private_key_is_shown_or_kept(played: Played) -> None:
    kept = [path for path in played.folder.rglob("*") if path.is_file() and path.name.startswith("migration.journal")]
    kept += [path for path in (played.folder / ".reconciler").rglob("*") if path.is_file()]
    assert kept
    contents = {path: path.read_bytes() for path in kept}
    for secret in secrets(played):
        assert secret not in played.said
        assert [path for path, content in contents.items() if secret.encode() in content] == []


def test_neither_a_hash_nor_a_private_key_is_in_plans_as_data(played: Played, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    clock = FakeClock()
    write_world(folder, clock.now())
    spec = folder / "migration.yaml"
    stream, saved = Listening(folder), tmp_path / "plan.json"
    plans = []
    for stage in ("prepare", "overlap"):
        spec.write_text(re.sub(r"(?m)^stage: \w+", f"stage: {stage}", spec.read_text()))
        shown = io.StringIO()
        assert run_plan([spec], clock, console_to(shown), form="json", out=saved) is Code.CHANGES
        plans += [shown.getvalue(), saved.read_text()]
        assert run_apply([spec], clock, Manner(console_to(stream), sure=True, as_json=True)) is Code.DONE
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert events[0]["event"] == "plan"
    again = Played(folder, Code.DONE, stream.getvalue(), stream.keys, played.hashes)
    for secret in secrets(again):
        assert [text for text in [*plans, stream.getvalue()] if secret in text] == []


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("mine")
    with pytest.raises(ReconcilerError, match="was not made by the demo: name a folder that does not exist"):
        run_demo(tmp_path, FakeClock(), console_to(io.StringIO()))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"letters": "mine"}


def test_a_second_run_writes_its_own_folder_anew(played: Played) -> None:
    (played.folder / "old" / "users").write_text("# somebody played with it\n")
    said = io.StringIO()
    assert run_demo(played.folder, FakeClock(), console_to(said)) is Code.DONE
    assert "ann@example.org:" in (played.folder / "old" / "users").read_text()
    headings = re.findall(r"=== (.+) ===", said.getvalue())
    assert headings == re.findall(r"=== (.+) ===", played.said)


def test_with_json_the_story_is_talk_and_the_comparison_is_the_result(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err, io.StringIO(), color=False)
    assert run_demo(tmp_path / "world", FakeClock(), console, as_json=True) is Code.DONE
    found = json.loads(out.getvalue())
    assert (found["changed"], found["missing"], found["added"]) == ([], [], [])
    assert found["same"] > 20
    assert "=== Stage cutover ===" in err.getvalue()
