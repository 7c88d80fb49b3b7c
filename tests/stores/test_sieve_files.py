import os
import stat
from pathlib import Path

import pytest

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.resources.server.sieve import SieveScript
from reconciler.transports.local import LocalTransport

ANN = "home/example.org/ann"
RULE = '# rule:[Forward]\r\nredirect :copy "ann@old.example.org";\r\n'


def script(content=RULE, name="roundcube", active=True, local="ann"):
    return SieveScript(place=Place.NEW, name=f"{local}@example.org", script=name, content=content, active=active)


@pytest.fixture
def server(world):
    w = world("ann@example.org:x\nbob@example.org:y\neve@example.com:z\n")
    (w.folder / ANN).mkdir(parents=True)
    return w


def activate(world, target, home=ANN):
    link = world.folder / home / ".dovecot.sieve"
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def test_an_account_without_scripts_has_none(server):
    assert server.read("sieve") == {}


def test_a_new_script_is_active_and_belongs_to_its_user(server):
    home = server.folder / ANN
    if os.geteuid() == 0:
        os.chown(home, 5123, 5124)
    server.create(script())
    assert str((home / ".dovecot.sieve").readlink()) == "sieve/roundcube.sieve"
    assert (home / "sieve/roundcube.sieve").read_bytes() == RULE.encode()
    assert server.read("sieve") == {"ann@example.org": script()}
    for name, mode in (("sieve", 0o700), ("sieve/roundcube.sieve", 0o600)):
        found = (home / name).stat()
        assert (found.st_uid, found.st_gid) == (home.stat().st_uid, home.stat().st_gid)
        assert stat.S_IMODE(found.st_mode) == mode
    assert (home / ".dovecot.sieve").lstat().st_uid == home.stat().st_uid


def test_a_home_that_is_written_with_a_way_up_is_the_same_home(server):
    (server.folder / ANN / "sieve").mkdir()
    (server.folder / ANN / "sieve/roundcube.sieve").write_text(RULE, newline="")
    activate(server, "sieve/roundcube.sieve")
    server.options["mail_home"] = "elsewhere/../home/%d/%n"
    server.open()
    assert server.read("sieve") == {"ann@example.org": script()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes things for others")
def test_a_home_that_is_still_to_be_made_belongs_to_the_user_of_the_line(world):
    w = world("ann@example.org:x:5123:5124::\n")
    (w.folder / "home").mkdir()
    w.create(script())
    for path in (w.folder / ANN, w.folder / ANN / "sieve", w.folder / ANN / "sieve/roundcube.sieve"):
        assert (path.stat().st_uid, path.stat().st_gid) == (5123, 5124)


def test_create_and_delete_restore_every_file(server):
    before = server.everything()
    server.create(script())
    server.put(f"{ANN}/sieve/roundcube.svbin", b"compiled")
    server.delete(script())
    assert server.everything() == before
    assert not (server.folder / ANN / ".dovecot.sieve").is_symlink()


def test_the_script_that_the_link_names_is_read_with_its_own_line_ends(server):
    server.put(f"{ANN}/sieve/holiday.sieve", "keep;\r\nstop;\n# ü")
    server.put(f"{ANN}/sieve/roundcube.sieve", "discard;")
    activate(server, "sieve/holiday.sieve")
    assert server.read("sieve", {"ann@example.org"})["ann@example.org"] == script("keep;\r\nstop;\n# ü", "holiday")


def test_without_an_active_script_the_one_that_roundcube_would_open_is_read(server):
    server.put(f"{ANN}/sieve/roundcube.sieve", "keep;\n")
    server.put(f"{ANN}/sieve/other.sieve", "discard;\n")
    assert server.read("sieve")["ann@example.org"] == script("keep;\n", active=False)


def test_a_plain_file_at_the_active_name_is_a_script_too(server):
    server.put(f"{ANN}/.dovecot.sieve", "keep;\n")
    assert server.read("sieve")["ann@example.org"] == script("keep;\n", ".dovecot")
    server.update(script(RULE, ".dovecot"))
    assert server.text(f"{ANN}/.dovecot.sieve") == RULE
    assert not (server.folder / ANN / ".dovecot.sieve").is_symlink()
    with pytest.raises(WriteError, match=r"is the script itself and no link"):
        server.update(script(RULE, ".dovecot", active=False))
    server.delete(script())
    assert server.text(f"{ANN}/.dovecot.sieve") is None


def test_an_update_stays_in_its_file_and_keeps_its_mode(server):
    path = server.put(f"{ANN}/scripts/mine.sieve", "keep;\n")
    path.chmod(0o640)
    activate(server, server.folder / ANN / "scripts/mine.sieve")
    server.update(script("stop;\n", "mine"))
    assert path.read_text() == "stop;\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert server.read("sieve")["ann@example.org"] == script("stop;\n", "mine")


def test_a_script_is_switched_on_and_off(server):
    server.put(f"{ANN}/sieve/roundcube.sieve", "keep;\n")
    before = server.everything()
    server.update(script(RULE))
    assert server.read("sieve")["ann@example.org"] == script(RULE)
    server.update(script("keep;\n", active=False))
    assert server.everything() == before
    assert server.read("sieve")["ann@example.org"].active is False


def test_an_inactive_script_in_the_way_is_not_overwritten(server):
    server.put(f"{ANN}/sieve/roundcube.sieve", "keep;\n")
    server.put(f"{ANN}/sieve/mine.sieve", "stop;\n")
    activate(server, "sieve/mine.sieve")
    before = server.everything()
    with pytest.raises(WriteError, match=r"sieve/roundcube.sieve is there already, not active"):
        server.update(script(RULE))
    assert server.everything() == before


def test_a_link_to_nothing_is_no_script_and_gets_replaced(server):
    activate(server, "sieve/gone.sieve")
    assert server.read("sieve") == {}
    server.create(script())
    assert server.read("sieve")["ann@example.org"] == script()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../secret.sieve", "sieve/../../bob/sieve/x.sieve"])
def test_a_link_out_of_the_home_is_refused(server, target):
    server.put("secret.sieve", "keep;\n")
    activate(server, target)
    with pytest.raises(ObserveError, match=r"\.dovecot\.sieve is a symbolic link to .*, outside of .*/ann"):
        server.read("sieve")
    with pytest.raises(ObserveError, match="outside of"):
        server.create(script())


@pytest.mark.parametrize("what", ["script", "folder"])
def test_links_on_the_way_are_refused(server, what):
    server.put("secret/roundcube.sieve", "keep;\n")
    if what == "script":
        (server.folder / ANN / "sieve").mkdir()
        (server.folder / ANN / "sieve/roundcube.sieve").symlink_to(server.folder / "secret/roundcube.sieve")
    else:
        (server.folder / ANN / "sieve").symlink_to(server.folder / "secret")
    activate(server, "sieve/roundcube.sieve")
    with pytest.raises(ObserveError, match=r"is a symbolic link to .*/secret.* it is not followed"):
        server.read("sieve")
    (server.folder / ANN / ".dovecot.sieve").unlink()
    with pytest.raises(ObserveError, match="it is not followed"):
        server.create(script())


def test_a_new_script_does_not_go_through_a_link_of_its_user(server):
    (server.folder / "elsewhere").mkdir()
    (server.folder / ANN / "sieve").symlink_to(server.folder / "elsewhere")
    with pytest.raises(WriteError, match=r"/ann/sieve is a symbolic link to"):
        server.create(script())
    assert list((server.folder / "elsewhere").iterdir()) == []


def test_a_script_changed_since_the_plan_is_not_overwritten(server):
    server.create(script())
    server.put(f"{ANN}/sieve/roundcube.sieve", "keep;\r\n")
    with pytest.raises(StalePlan, match=r"new/sieve/ann@example.org in .* is script 'roundcube', active True and not"):
        server.write(Change(script(), None))
    assert server.text(f"{ANN}/sieve/roundcube.sieve") == "keep;\r\n"


def test_a_script_that_is_not_utf_8_is_an_error(server):
    server.put(f"{ANN}/.dovecot.sieve", b"# \xff\n")
    with pytest.raises(ObserveError, match=r"\.dovecot\.sieve is not UTF-8 \(octet 2\)"):
        server.read("sieve")


def test_without_home_or_account_the_error_says_what_to_do(world):
    w = world("ann@example.org:x\n", mail_home=None)
    assert w.read("sieve") == {}
    with pytest.raises(WriteError, match="has no home: set mail_home in the options"):
        w.create(script())
    with pytest.raises(WriteError, match="has no such account: make the mailbox first"):
        w.create(script(local="eve"))


def test_a_name_that_is_a_path_is_no_script(server):
    with pytest.raises(WriteError, match="is no name for a script"):
        server.create(script(name="../x"))


def test_the_home_of_the_line_counts_before_the_template(world):
    w = world("")
    w.put("users", f"ann@example.org:x::::{w.folder}/own::\n")
    w.put("own/.dovecot.sieve", "keep;\n")
    assert w.read("sieve")["ann@example.org"].content == "keep;\n"


def test_scripts_may_be_kept_outside_of_the_homes(world):
    w = world("ann@example.org:x\n", sieve_dir="sieve/%d/%n", sieve_active="sieve/%d/%n/active.sieve")
    w.create(script())
    assert w.text("sieve/example.org/ann/roundcube.sieve") == RULE
    assert str((w.folder / "sieve/example.org/ann/active.sieve").readlink()) == "roundcube.sieve"
    assert w.read("sieve") == {"ann@example.org": script()}


def test_a_full_disk_puts_the_whole_batch_back(server):
    class FullDisk(LocalTransport):
        def write(self, path, content, **options):
            if "bob" in str(path):
                raise WriteError(f"{path} could not be written: no space left on device")
            super().write(path, content, **options)

    before = server.everything()
    server.open(transport=FullDisk())
    with pytest.raises(WriteError, match="no space left"):
        server.create(script(), script(local="bob"))
    assert server.everything() == before
    assert server.read("sieve") == {}


class CountingTransport(LocalTransport):
    """Counts calls, each of which would be a round trip on a wire."""

    def __init__(self):
        self.calls = 0

    def stat(self, path):
        self.calls += 1
        return super().stat(path)

    def read_many(self, paths):
        self.calls += 1
        return {path: Path(path).read_bytes() for path in paths if Path(path).is_file()}

    def read_links(self, paths):
        self.calls += 1
        return super().read_links(paths)


def test_many_scripts_are_read_in_few_round_trips(world):
    w = world("".join(f"u{i}@example.org:x\n" for i in range(50)))
    w.create(*(script(local=f"u{i}") for i in range(50)))
    transport = CountingTransport()
    w.open(transport=transport)
    assert len(w.read("sieve")) == 50
    assert transport.calls <= 6
