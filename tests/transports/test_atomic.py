"""The atomic replacement keeps what a file is, and leaves nothing behind when it fails."""

import errno
import os
import stat
from pathlib import Path

import pytest

from reconciler.errors import WriteError
from reconciler.ports import Stat
from reconciler.transports import atomic as atomic_module


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "zone.db"
    path.write_bytes(b"before")
    path.chmod(0o644)
    return path


def failing(number: int):
    def fail(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    return fail


def test_the_new_content_stands_and_nothing_is_left_beside_it(target: Path) -> None:
    atomic_module.replace(target, b"after")
    assert target.read_bytes() == b"after"
    assert list(target.parent.iterdir()) == [target]


def test_an_existing_file_keeps_its_permission_bits(target: Path) -> None:
    target.chmod(0o604)
    atomic_module.replace(target, b"after", mode=0o600)
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_an_existing_file_keeps_its_owner_and_group(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    standing = os.stat_result((0o100644, 0, 0, 1, 1234, 4321, 6, 0, 0, 0))
    monkeypatch.setattr(atomic_module, "_standing", lambda _path: standing)
    monkeypatch.setattr("os.fchown", lambda _descriptor, uid, gid: given.append((uid, gid)))
    atomic_module.replace(target, b"after", like=Stat(1, 1, 0o600, ()))
    assert given == [(1234, 4321)]


def test_a_file_that_may_not_be_given_to_its_owner_is_not_replaced(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = os.stat_result((0o100644, 0, 0, 1, 1234, 4321, 6, 0, 0, 0))
    monkeypatch.setattr(atomic_module, "_standing", lambda _path: standing)
    monkeypatch.setattr("os.fchown", failing(errno.EPERM))
    with pytest.raises(WriteError, match=r"give files to the owner of zone\.db"):
        atomic_module.replace(target, b"after")
    assert target.read_bytes() == b"before"


def test_an_existing_file_keeps_its_access_lists(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[str, bytes]] = []
    monkeypatch.setattr("os.listxattr", lambda _path: ["system.posix_acl_access"])
    monkeypatch.setattr("os.getxattr", lambda _path, _name: b"acl")
    monkeypatch.setattr("os.setxattr", lambda _descriptor, name, value: kept.append((name, value)))
    atomic_module.replace(target, b"after")
    assert kept == [("system.posix_acl_access", b"acl")]


def test_a_new_file_gets_the_mode(tmp_path: Path) -> None:
    atomic_module.replace(tmp_path / "new", b"x", mode=0o640)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_new_file_is_owned_like_its_model(tmp_path: Path) -> None:
    model = Stat(os.geteuid(), os.getegid(), 0o100604, ())
    atomic_module.replace(tmp_path / "new", b"x", like=model)
    found = (tmp_path / "new").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (model.uid, model.gid, 0o604)


def test_the_temporary_file_is_readable_by_its_owner_alone(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = atomic_module._dress

    def look(descriptor, *rest):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor, *rest)

    monkeypatch.setattr(atomic_module, "_dress", look)
    atomic_module.replace(target, b"secret")
    assert seen == [0o600]


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_failure_leaves_the_file_as_it_was(
    target: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    monkeypatch.setattr(f"os.{call}", failing(number))
    with pytest.raises(WriteError) as caught:
        atomic_module.replace(target, b"after")
    assert str(target) in str(caught.value)
    assert "as it was" in str(caught.value)
    assert target.read_bytes() == b"before"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_ctrl_c_leaves_no_temporary_file(target: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"os.{call}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic_module.replace(target, b"after")
    assert target.read_bytes() == b"before"
    assert list(target.parent.iterdir()) == [target]


def test_a_disk_that_does_not_confirm_the_rename_is_reported_as_such(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    calls: list[int] = []

    def second_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    monkeypatch.setattr("os.fsync", second_fails)
    with pytest.raises(WriteError, match="has its new content, but the disk did not confirm"):
        atomic_module.replace(target, b"after")


def test_a_full_disk_says_where_to_make_room(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", failing(errno.ENOSPC))
    with pytest.raises(WriteError, match=r"no space left on device.*make room"):
        atomic_module.replace(target, b"after")


def test_a_missing_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="make the directory"):
        atomic_module.replace(tmp_path / "none" / "zone.db", b"x")


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="not a regular file"):
        atomic_module.replace(tmp_path, b"x")
