"""The zone file backend on a disk that fails, beside others who write, and after a crash."""

import errno
import json
import stat
import threading
from pathlib import Path

import pytest

from reconciler.errors import ObserveError, WriteError
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.transports import file_lock
from tests.products.zonefile.zones import TYPICAL, opened, opened_at, standing, undo, without_serial, write

MX = "example.org. MX"
NEW = RRset.of("example.org", "MX", 300, "10 mx.new.example.")


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".reconciler")


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), SystemExit(9)]
)
def test_a_crash_leaves_the_zone_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, failure: BaseException
) -> None:
    zone = opened(tmp_path, TYPICAL)
    before = standing(zone, MX)

    def fail(*_args: object) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(f"os.{call}", fail)
        with pytest.raises(WriteError if isinstance(failure, OSError) else type(failure)):
            zone.stores["rrset"].write([Change(before, NEW)])
    assert (tmp_path / "zone.db").read_text() == TYPICAL
    assert beside(tmp_path) == ["zone.db"]
    zone.stores["rrset"].write([Change(before, NEW)])
    assert standing(zone, MX) == NEW


def test_a_write_leaves_nothing_beside_the_zone_and_keeps_its_mode(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    (tmp_path / "zone.db").chmod(0o604)
    write(zone, MX, NEW)
    assert beside(tmp_path) == ["zone.db"]
    assert stat.S_IMODE((tmp_path / "zone.db").stat().st_mode) == 0o604


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = opened(tmp_path, TYPICAL)

    def refuse(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ObserveError, match=r"zone\.db could not be read: permission denied.*run as a user"):
        zone.stores["rrset"].read()


def test_a_directory_is_no_zone_file(tmp_path: Path) -> None:
    (tmp_path / "zone.db").mkdir()
    with pytest.raises(ObserveError, match="is a directory"):
        opened_at(tmp_path, file="zone.db").stores["rrset"].read()


def test_a_write_waits_for_another_run_and_sees_what_it_wrote(tmp_path: Path) -> None:
    zone, path = opened(tmp_path, TYPICAL), tmp_path / "zone.db"
    change = Change(standing(zone, MX), NEW)
    with file_lock.locked([path]):
        writer = threading.Thread(target=zone.stores["rrset"].write, args=([change],))
        writer.start()
        theirs = tmp_path / "theirs"
        theirs.write_text(TYPICAL + "theirs IN A 192.0.2.66\n")
        theirs.replace(path)
        assert standing(zone, MX) == change.before
    writer.join(30)
    assert standing(zone, MX) == NEW
    assert standing(zone, "theirs.example.org. A") is not None


def test_a_zone_that_went_away_cannot_be_locked(tmp_path: Path) -> None:
    zone = opened(tmp_path, TYPICAL)
    change = Change(standing(zone, MX), NEW)
    (tmp_path / "zone.db").unlink()
    with pytest.raises(WriteError, match=r"nothing was written: .* could not be read: no such file"):
        zone.stores["rrset"].write([change])


class TestKept:
    def test_lines_are_kept_beside_the_spec_and_out_of_version_control(self, tmp_path: Path) -> None:
        zone = opened(tmp_path, TYPICAL)
        write(zone, MX, NEW)
        folder = tmp_path / ".reconciler/zonefile"
        assert (folder / ".gitignore").read_text() == "*\n"
        versions = list(folder.glob("*.json"))
        assert len(versions) == 2
        assert {stat.S_IMODE(path.stat().st_mode) for path in versions} == {0o600}

    def test_going_forth_and_back_again_keeps_no_more(self, tmp_path: Path) -> None:
        zone = opened(tmp_path, TYPICAL)
        for _ in range(3):
            undo(zone, write(zone, MX, NEW))
        assert len(list((tmp_path / ".reconciler/zonefile").glob("*.json"))) == 2

    @pytest.mark.parametrize("damage", [b"", b"[]", b'{"texts": 1}', b"\xff"])
    def test_a_damaged_memory_is_as_good_as_none(self, tmp_path: Path, damage: bytes) -> None:
        zone = opened(tmp_path, TYPICAL)
        change = write(zone, MX, NEW)
        for path in (tmp_path / ".reconciler/zonefile").glob("*.json"):
            path.write_bytes(damage)
        undo(zone, change)
        assert standing(zone, MX) == change.before

    @pytest.mark.parametrize("forged", ["forged IN A 192.0.2.66\n", '"', "\u20ac"])
    def test_a_forged_memory_is_not_written(self, tmp_path: Path, forged: str) -> None:
        zone = opened(tmp_path, TYPICAL)
        change = write(zone, MX, NEW)
        for path in (tmp_path / ".reconciler/zonefile").glob("*.json"):
            version = json.loads(path.read_bytes())
            version["octets"] = [text + forged for text in version["octets"]]
            path.write_text(json.dumps(version))
        undo(zone, change)
        assert standing(zone, MX) == change.before
        assert standing(zone, "forged.example.org. A") is None

    def test_the_move_from_one_file_to_its_copy_loses_no_record(self, tmp_path: Path) -> None:
        zone = opened(tmp_path, TYPICAL)
        change = write(zone, MX, NEW)
        (tmp_path / "zone.db").rename(tmp_path / "other.db")
        undo(opened_at(tmp_path, file="other.db"), change)
        assert without_serial((tmp_path / "other.db").read_bytes()).count(b"IN MX") == 2
