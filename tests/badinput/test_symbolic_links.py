"""A file that is a symbolic link is written through: the link stays, its target changes."""

import shutil

import pytest

from tests.badinput.conftest import goes_on
from tests.support.program import ROOT


@pytest.mark.parametrize("name", ["new/users", "new/virtual", "new/domains", "new/opendkim/KeyTable"])
def test_a_server_file_behind_a_link_is_written_through(run, world, spec, name):
    path, real = world / name, world / "elsewhere"
    path.rename(real)
    path.symlink_to(real)
    before = real.read_bytes()
    goes_on(run, spec)
    assert path.is_symlink()
    assert before in real.read_bytes()
    assert b"example.org" in real.read_bytes()
    assert run("rollback", spec, "--all", "--yes").code == 0
    assert path.is_symlink()
    assert real.read_bytes() == before


def test_a_zone_behind_a_link_is_written_through(run, world, spec):
    path, real = world / "example.org.zone", world / "elsewhere.zone"
    path.rename(real)
    path.symlink_to(real)
    before = real.read_bytes()
    spec.write_text(spec.read_text().replace("stage: prepare", "stage: overlap"))
    goes_on(run, spec)
    assert path.is_symlink()
    assert b"198.51.100.7" in real.read_bytes()
    assert run("rollback", spec, "--all", "--yes").code in {0, 3}
    assert path.is_symlink()
    assert b"198.51.100.7" not in real.read_bytes() or real.read_bytes() != before


@pytest.mark.parametrize("way", ["elsewhere/../world", "link"])
def test_a_spec_named_by_a_roundabout_way_finds_the_same_files(run, tmp_path, way):
    folder = shutil.copytree(ROOT / "examples" / "forward-and-retain", tmp_path / "world", symlinks=True)
    scripts = [path for path in folder.rglob(".dovecot.sieve") if path.is_symlink()]
    assert scripts  # which are followed only as long as they stay with their user
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(folder)
    spec = tmp_path / way / "migration.yaml"
    spec.write_text(spec.read_text().replace("stage: prepare", "stage: overlap"))
    assert run("apply", spec, "--yes").code == 0
    assert run("plan", folder / "migration.yaml").code == 0
