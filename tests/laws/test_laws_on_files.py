"""The laws of the house once more, on real files and with the real journal: random worlds written as people do."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from tests.laws.on_disk import OTHERS_LINES, every_file, is_subsequence, offline, with_files, write_world
from tests.laws.strategies import FOREIGN_TEXTS, foreign, moved, specs, worlds
from tests.support.examples import examples
from tests.support.file_move import FileMove
from tests.support.move import NO_CHECKS

MEMORY = Path("/dev/shm")  # a disk that need not wait for itself, where the machine has one
REVERSIBLE = tuple(stage for stage in Stage if stage < Stage.DECOMMISSION)
WALKS = st.lists(st.sampled_from(REVERSIBLE), min_size=1, max_size=3)
SERIAL = re.compile(rb"(host[^;0-9]*(?:; first\s*)?)\d{10}")  # of the SOA lines that are drawn
OURS_IN_PARTS = {"old/users", "old/virtual", "old/domains", "new/users", "new/virtual", "new/domains"}
OURS_IN_PARTS |= {"new/KeyTable", "new/SigningTable", "example.org.zone"}
TEMPORARY = re.compile(r"(^|/)\.[^/]*\.(new|reconciler-lock)$")
laws = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}],  # each step takes tens of seconds
)


@contextmanager
def a_move(data: st.DataObject, key: str | None = "file:dkim.pem", **options: Any) -> Iterator[FileMove]:
    spec = offline(data.draw(specs()))
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        world = data.draw(worlds(spec))
        data.draw(st.composite(lambda draw: write_world(draw, folder, (*world, *foreign(spec))))())
        move = FileMove(folder, with_files(spec, key=key), **options)
        read = move.world()
        assert [read.get(r.address) for r in world] == list(world), "the world was not written as it was drawn"
        yield move


@laws
@given(st.data(), st.lists(st.sampled_from(Stage), min_size=1, max_size=3))
def test_after_apply_planning_again_gives_nothing_to_do(data, walk) -> None:
    with a_move(data, key=None, checks=NO_CHECKS) as move:
        for stage in walk:
            assert move.apply(stage).steps == ()
            assert move.plan(stage).steps == ()


@settings(laws, max_examples=examples(8))
@given(st.data())
def test_the_way_through_all_stages_with_all_checks_settles_at_each(data) -> None:
    with a_move(data) as move:
        for stage in Stage:
            if stage is Stage.HARDEN:
                move.spec = moved(move.spec)
            assert move.reach(stage).steps == (), stage


@laws
@given(st.data(), WALKS)
def test_what_is_not_ours_is_not_touched(data, walk) -> None:
    with a_move(data, checks=NO_CHECKS) as move:
        before = every_file(move.path.parent)
        strangers = [r for r in foreign(move.spec) if isinstance(r, RRset)]
        texts = _texts(move)
        for stage in walk:
            move.apply(stage)
            world = move.world()
            assert [world.get(r.address) for r in strangers] == strangers
            assert _texts(move) == texts
            _assert_others_lines_stand(before, every_file(move.path.parent))


@laws
@given(st.data(), WALKS)
def test_rolling_everything_back_restores_every_octet_but_the_serial(data, walk) -> None:
    with a_move(data) as move:
        before = every_file(move.path.parent)
        for stage in walk:
            if stage >= Stage.HARDEN:
                move.spec = moved(move.spec)
            move.reach(stage)
        assert move.roll_back().steps == ()
        assert _without_serial(every_file(move.path.parent)) == _without_serial(before)


@laws
@given(st.data(), st.sampled_from(Stage), st.booleans())
def test_killed_at_any_write_planning_and_applying_again_reaches_the_same_end(data, stage, after) -> None:
    with a_move(data, checks=NO_CHECKS) as move, a_copy(move) as whole:
        kill_somewhere(data, move, whole, stage, after=after)
        assert move.apply(stage).steps == ()
        assert move.world() == whole.world()
        assert _lines(move) == _lines(whole)


@laws
@given(st.data(), st.sampled_from(REVERSIBLE), st.booleans())
def test_killed_at_any_write_rolling_back_restores_every_octet_but_the_serial(data, stage, after) -> None:
    with a_move(data, checks=NO_CHECKS) as move, a_copy(move) as whole:
        before = every_file(move.path.parent)
        if kill_somewhere(data, move, whole, stage, after=after):
            assert move.roll_back().steps == ()
        assert _in_use(every_file(move.path.parent)) == _in_use(before)


@contextmanager
def a_copy(move: FileMove) -> Iterator[FileMove]:
    """The same move in the same world, elsewhere."""
    with tempfile.TemporaryDirectory(dir=move.path.parent.parent) as name:
        shutil.copytree(move.path.parent, name, symlinks=True, dirs_exist_ok=True)
        yield FileMove(Path(name), move.spec, move.rules.checks)


def kill_somewhere(data: st.DataObject, move: FileMove, whole: FileMove, stage: Stage, *, after: bool) -> bool:
    """``whole`` reaches the stage; ``move`` is killed at one of the writes on the way; False if there is none."""
    writes = whole.killed(lambda: whole.apply(stage))
    if not writes:
        return False
    at = data.draw(st.integers(1, writes), "killed at")
    assert move.killed(lambda: move.apply(stage), at, after=after) == at
    return True


def _texts(move: FileMove) -> list[str]:
    found = (r for r in move.world().values() if isinstance(r, RRset))
    return sorted(text for rrset in found for text in rrset.rdata if text in FOREIGN_TEXTS)


def _assert_others_lines_stand(before: dict[str, bytes], now: dict[str, bytes]) -> None:
    for name, content in before.items():
        if name in OURS_IN_PARTS:
            others = [line for line in content.decode().splitlines() if line in OTHERS_LINES]
            assert is_subsequence(others, now[name].decode().splitlines()), name
        elif not name.endswith("mine.sieve"):
            assert now[name] == content, name


def _lines(move: FileMove) -> dict[str, list[bytes]]:
    """Files by their lines in any order: what was cut short is finished in another order."""
    folder = str(move.path.parent).encode()
    found = _without_serial(every_file(move.path.parent))
    return {
        name: sorted(content.replace(folder, b".").splitlines())
        for name, content in found.items()
        if not TEMPORARY.search(name)
    }


def _without_serial(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name: SERIAL.sub(rb"\1N", content) if name.endswith(".zone") else content for name, content in files.items()
    }


def _in_use(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without what a killed process leaves and nothing reads: temporary and lock files, and a DKIM key with which no
    mail is signed yet, which is not seen as a key and so not taken away; the next apply goes on with it.
    """
    signing = {row.split()[-1] for row in _rows(files["new/SigningTable"])}
    used = {row for row in _rows(files.get("new/KeyTable", b"")) if row.split()[0] in signing}
    return {
        name: b"\n".join(sorted(used)) if name == "new/KeyTable" else content
        for name, content in {"new/KeyTable": b"", **_without_serial(files)}.items()
        if not TEMPORARY.search(name)
        and not (name.endswith(".private") and not any(Path(name).name.encode() in row for row in used))
    }


def _rows(table: bytes) -> list[bytes]:
    """Of an OpenDKIM table: its lines without comments and empty ones."""
    return [line for line in table.splitlines() if line.strip() and not line.startswith(b"#")]
