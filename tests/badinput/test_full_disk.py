"""Where nothing more can be written: what stood still stands, and nothing half-written is left beside it."""

import resource

import pytest

from tests.badinput.conftest import JOURNAL, LIKE_EVERYBODY, edit, goes_on, nothing_changes

PREPARED = ("new/domains", "new/opendkim/KeyTable", "new/opendkim/SigningTable")
KEY = "new/opendkim/keys/new2026.example.org.private"


def files_up_to(octets):
    """For a process: a write beyond that size fails as on a full disk (EFBIG instead of ENOSPC)."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))


def test_a_server_file_that_cannot_be_written_stays_whole(process, run, world, spec):
    users = world / "new" / "users"
    users.write_bytes(users.read_bytes() + b"# a comment of some length, of which there are many\n" * 5000)
    with nothing_changes(world, JOURNAL, *PREPARED, KEY):
        result = process("apply", spec, "--yes", preexec_fn=files_up_to(150_000))
        assert result.code == 1
        assert f"{users} could not be written: file too large. It is as it was; raise the limit" in result.err
    goes_on(run, spec)


def test_a_zone_that_cannot_be_written_stays_whole(process, run, world, spec):
    goes_on(run, spec)
    zone = world / "example.org.zone"
    zone.write_bytes(zone.read_bytes() + b"; a comment of some length, of which there are many\n" * 5000)
    edit(spec, ("stage: prepare", "stage: overlap"))
    with nothing_changes(world, JOURNAL, ".reconciler", ".reconciler/zonefile", ".reconciler/zonefile/.gitignore"):
        result = process("apply", spec, "--yes", preexec_fn=files_up_to(150_000))
        assert result.code == 1
        assert f"{zone} could not be written: file too large. It is as it was" in result.err
        assert "apply again" in result.err
    goes_on(run, spec)


@pytest.mark.parametrize("octets", [8_000, 30_000])
def test_without_a_journal_nothing_is_begun(process, run, world, spec, octets):
    with nothing_changes(world, JOURNAL):
        result = process("apply", spec, "--yes", preexec_fn=files_up_to(octets))
        assert result.code == 1
        assert f"the journal {world / JOURNAL} cannot be written" in result.err
        assert "make room on that disk" in result.err
        assert "No step is begun that is not in the journal first" in result.err
    goes_on(run, spec)


def test_a_folder_that_may_not_be_written_is_an_error_before_anything_is_written(process, run, world, spec):
    world.chmod(0o555)
    with nothing_changes(world):
        assert process("plan", spec, before=LIKE_EVERYBODY).code == 2
        result = process("apply", spec, "--yes", before=LIKE_EVERYBODY)
        assert result.code == 1
        assert f"the journal {world / JOURNAL} cannot be opened for writing: " in result.err
        assert "without it nothing is changed: give yourself access" in result.err
    world.chmod(0o755)
    goes_on(run, spec)


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]])
def test_a_full_standard_output_is_told_and_nothing_is_changed(process, run, world, spec, command):
    name, *options = command
    with nothing_changes(world, JOURNAL), open("/dev/full", "w") as full:  # noqa: PTH123 - a device, not a file
        result = process(name, spec, *options, stdout=full)
        assert result.code == 1
        assert "standard output cannot be written: no space left on device" in result.err
        assert "run the same command again" in result.err
    goes_on(run, spec)


@pytest.mark.parametrize("out", ["/dev/full", ".", "no/such/folder/plan.json"])
def test_a_plan_that_cannot_be_saved_is_an_error(run, world, spec, out):
    with nothing_changes(world):
        result = run("plan", spec, "--out", world / out)
        assert result.code == 1
        assert "could not be written: " in result.err
        assert "saved" not in result.err
