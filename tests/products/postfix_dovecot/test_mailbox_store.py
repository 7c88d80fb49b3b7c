import errno
import os
import stat

import pytest

from reconciler.errors import ObserveError, SecretError, StalePlan, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import KIND
from reconciler.transports.local import LocalTransport
from tests.support.server_files import HASH, alias, catch_all, quota

USERS = (
    "# accounts\n"
    "ann@example.org:{PLAIN}a:5000:5001:Ann:/var/vmail/ann::\n"
    "\n"
    "bob@example.com:{PLAIN}b:6000:6000:::\n"
    "root:x:0:0\n"
    "# the end\n"
)


def test_the_accounts_of_the_domain_are_its_mailboxes(world):
    found = world(USERS).read("mailbox")
    assert {name: (m.display_name, m.password) for name, m in found.items()} == {"ann@example.org": ("Ann", None)}


def test_a_new_mailbox_is_one_more_line_like_the_first(world):
    w = world(USERS)
    w.create(w.mailbox("eve", "Eve Adams"))
    assert w.text("users") == f"{USERS}eve@example.org:{HASH}:5000:5001:Eve Adams:::\n"
    assert w.read("mailbox", {"eve@example.org"})["eve@example.org"].display_name == "Eve Adams"


def test_new_lines_get_what_the_options_say(world):
    w = world(USERS, uid=100, gid="mail", home="vmail/%d/%n")
    w.create(w.mailbox("eve"))
    assert w.text("users") == f"{USERS}eve@example.org:{HASH}:100:mail::{w.folder}/vmail/example.org/eve::\n"


def test_create_and_delete_restore_every_octet(world):
    for users in (USERS, USERS.removesuffix("\n"), "", "bob@example.com:x"):
        w = world(users)
        w.create(w.mailbox("eve"), w.mailbox("dan"))
        w.delete(w.mailbox("dan"), w.mailbox("eve"))
        assert w.text("users") == users


def test_a_file_that_was_made_for_the_first_mailbox_goes_with_the_last(world):
    w = world(None, None)
    assert w.read("mailbox") == {}
    w.create(w.mailbox("eve"))
    assert w.text("users") == f"# made by reconciler\neve@example.org:{HASH}::::::\n"
    assert stat.S_IMODE((w.folder / "users").stat().st_mode) == 0o640
    w.delete(w.mailbox("eve"))
    assert w.everything() == {}


def test_on_the_old_server_a_missing_file_is_an_error(world):
    w = world(None)
    w.open(Place.OLD)
    with pytest.raises(ObserveError, match=r"/users does not exist, so nothing can be said"):
        w.read("mailbox")


def test_a_display_name_changes_in_place(world):
    w = world(USERS)
    w.update(w.read("mailbox")["ann@example.org"].model_copy(update={"display_name": "Ann Ägid"}))
    assert w.text("users") == USERS.replace(":Ann:", ":Ann Ägid:")


@pytest.mark.parametrize("name", ["Dr: Ann", "Ann\nroot"])
def test_a_display_name_that_would_break_the_line_is_refused(world, name):
    w = world(USERS)
    with pytest.raises(WriteError, match=r"new/mailbox/eve@example.org: the display name"):
        w.create(w.mailbox("eve", name))
    assert w.text("users") == USERS


def test_a_change_between_plan_and_apply_is_not_overwritten(world):
    w = world(USERS)
    before = w.read("mailbox")["ann@example.org"]
    w.put("users", USERS.replace(":Ann:", ":Anna:"))
    stands = w.text("users")
    with pytest.raises(StalePlan, match=r"new/mailbox/ann@example.org in .*/users is display_name 'Anna' and not"):
        w.write(Change(before, None))
    with pytest.raises(StalePlan, match="and not absent"):
        w.create(w.mailbox("ann"), w.mailbox("eve"))
    assert w.text("users") == stands


def test_a_batch_with_one_stale_change_writes_nothing(world):
    w = world(USERS)
    ghost = w.mailbox("ghost").model_copy(update={"password": None})
    with pytest.raises(StalePlan, match=r"ghost@example.org in .* is absent"):
        w.write(Change(None, w.mailbox("eve")), Change(ghost, None))
    assert w.text("users") == USERS


def test_one_address_twice_in_a_batch_is_refused(world):
    w = world(USERS)
    with pytest.raises(StalePlan, match="changed twice"):
        w.create(w.mailbox("eve"), w.mailbox("eve"))
    assert w.text("users") == USERS


def test_a_password_is_hashed_and_never_stands_in_the_file(world):
    w = world(USERS)
    w.create(w.mailbox("eve", secret="correct horse"))
    assert "correct horse" not in w.text("users")
    assert "eve@example.org:{BLF-CRYPT}$2b$" in w.text("users")


def test_a_hash_that_cannot_be_had_is_an_error_that_names_the_mailbox(world):
    w = world(USERS)
    with pytest.raises(WriteError, match=r"new/mailbox/eve@example.org cannot be made, .*keep:eve@example.org leads"):
        w.create(w.mailbox("dan"), w.mailbox("eve", secret=None))
    with pytest.raises(WriteError, match="cannot be made without a password"):
        w.create(w.mailbox("eve").model_copy(update={"password": None}))
    assert w.text("users") == USERS


def test_an_error_about_a_password_does_not_show_it(world):
    w = world(USERS)
    with pytest.raises(WriteError, match=r"eve@example.org cannot be made, its password is of no use") as caught:
        w.create(w.mailbox("eve", secret="{PLAIN}open:sesame"))
    assert "sesame" not in str(caught.value)


def test_the_hash_of_an_account_is_given_with_its_scheme(world):
    whole = "$6$s$" + "h" * 86
    w = world(f"ann@example.org:{whole}:::\neve@example.org::::\n")
    assert w.opened.password_hash("ann@example.org").reveal() == f"{{SHA512-CRYPT}}{whole}"
    assert "$6$" not in repr(w.opened.password_hash("ann@example.org"))
    with pytest.raises(SecretError, match=r"eve@example.org cannot be carried: .*no password for it"):
        w.opened.password_hash("eve@example.org")
    with pytest.raises(SecretError, match=r"dan@example.org cannot be carried: .*no such account"):
        w.opened.password_hash("dan@example.org")


def test_the_hash_of_a_half_written_line_is_not_carried(world):
    w = world("ann@example.org:{SHA512-CRYPT}$6$saltsalt$qFmFH.bQmm")
    with pytest.raises(SecretError, match=r"users:1: the end of the hash is missing") as caught:
        w.opened.password_hash("ann@example.org")
    assert "qFm" not in str(caught.value)


def test_an_address_that_would_be_a_comment_or_another_folder_is_refused(world):
    w = world(USERS, home="/var/vmail/%d/%n")
    for local in ("#eve", "e/ve"):
        with pytest.raises(WriteError, match="choose another address"):
            w.create(w.mailbox(local))
    assert w.text("users") == USERS


def test_a_symlink_as_passwd_file_is_written_through(world):
    w = world(USERS)
    (w.folder / "users").rename(w.folder / "real")
    (w.folder / "users").symlink_to("real")
    w.create(w.mailbox("eve"))
    assert (w.folder / "users").is_symlink()
    assert "eve@example.org" in w.text("real")


def test_owner_and_mode_are_kept(world):
    w = world(USERS)
    path = w.folder / "users"
    path.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(path, 5123, 5124)
    owner = path.stat().st_uid, path.stat().st_gid
    w.create(w.mailbox("eve"))
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_uid, path.stat().st_gid) == (0o604, *owner)


def test_postfix_gets_to_know_new_mailboxes_and_to_forget_removed_ones(world):
    w = world(USERS, virtual_mailbox_maps="texthash:vmailbox", mailbox_map_value="%d/%n/Maildir/")
    w.put("vmailbox", "ann@example.org example.org/ann/\nbob@example.com x/\n")
    w.create(w.mailbox("eve"), w.mailbox("joe"))
    assert w.text("vmailbox") == (
        "ann@example.org example.org/ann/\nbob@example.com x/\neve@example.org example.org/eve/Maildir/\n"
        "joe@example.org example.org/joe/Maildir/\n"
    )
    w.delete(w.mailbox("joe"))
    assert w.text("vmailbox") == (
        "ann@example.org example.org/ann/\nbob@example.com x/\neve@example.org example.org/eve/Maildir/\n"
    )


class FullDisk(LocalTransport):
    """There is no room for files of one name."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.refused = 0

    def write(self, path, content, **options):
        if path.name == self.name and not self.refused:
            self.refused += 1
            error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise WriteError(f"{path} could not be written: {error}")
        super().write(path, content, **options)


@pytest.mark.parametrize("full", ["users", "virtual", "vmailbox"])
@pytest.mark.parametrize("act", ["create", "delete"])
def test_a_full_disk_leaves_every_file_as_it_was(world, full, act):
    w = world(
        "ann@example.org:x\nbob@example.org:x\n",
        "@example.org ann@example.org\n",
        virtual_mailbox_maps="texthash:vmailbox",
    )
    w.put("vmailbox", "bob@example.org example.org/bob/\n")
    w.create(w.mailbox("eve"))
    before = w.everything()
    w.open(transport=(disk := FullDisk(full)))
    with pytest.raises(WriteError, match=rf"/{full} could not be written: .*No space left"):
        w.create(w.mailbox("dan")) if act == "create" else w.delete(w.mailbox("eve"))
    assert disk.refused
    assert w.everything() == before


def test_a_mailbox_that_comes_or_goes_while_a_catch_all_stands_is_kept_from_it(world):
    w = world(USERS, "x@example.com y\n")
    w.create(catch_all("ann@example.org"))
    with_one = w.text("virtual")
    w.create(w.mailbox("eve"))
    assert "eve@example.org eve@example.org\n# reconciler: end" in w.text("virtual")
    assert w.read("alias") == {}
    w.delete(w.mailbox("eve"))
    assert w.text("virtual") == with_one


def test_a_catch_all_of_somebody_else_does_not_swallow_our_mailbox_and_treats_theirs_as_before(world):
    virtual = "@example.org x@x.org\n"
    w = world(USERS, virtual)
    w.create(w.mailbox("eve"))
    assert "eve@example.org eve@example.org" in w.text("virtual")
    assert "ann@example.org" not in w.text("virtual")
    w.delete(w.mailbox("eve"))
    assert w.text("virtual") == virtual


def test_a_mailbox_with_an_alias_of_its_own_needs_no_self_entry(world):
    w = world(USERS, "@example.org x@x.org\n")
    w.create(alias("eve", "eve@example.org", "x@x.org"))
    before = w.text("virtual")
    w.create(w.mailbox("eve"))
    assert w.text("virtual") == before


def test_a_display_name_in_iso_8859_1_is_put_back_in_it(world):
    users = "ann@example.org:x:::Ann Müller:/h\n".encode("latin-1")
    w = world()
    w.put("users", users)
    stood = w.read("mailbox")["ann@example.org"]
    w.update(w.mailbox("ann", "Ann Maier"))
    assert w.text("users") == "ann@example.org:x:::Ann Maier:/h\n"
    w.update(stood)
    assert (w.folder / "users").read_bytes() == users


OTHERWISE = [
    ("uid", "ann@example.org:x:1:5:Ann:/h::\n"),
    ("gid", "ann@example.org:x:5:1:Ann:/h::\n"),
    ("home", "ann@example.org:x:5:5:Ann:/elsewhere::\n"),
    ("home", "ann@example.org:x:5:5\n"),
    ("shell", "ann@example.org:x:5:5:Ann:/h:/bin/sh:\n"),
    ("allow_nets", "ann@example.org:x:5:5:Ann:/h::allow_nets=192.0.2.0/24\n"),
    ("userdb_quota_rule2 and nologin", "ann@example.org:x:5:5:Ann:/h::userdb_quota_rule2=Trash:ignore nologin\n"),
]


@pytest.mark.parametrize(("fields", "users"), OTHERWISE)
def test_an_account_with_more_on_its_line_than_was_written_here_is_not_removed_from_the_new_server(
    world, fields, users
):
    w = world(users, uid=5, gid=5, home="/h")
    with pytest.raises(WriteError, match=f"users:1 has {fields}, which was not written here") as caught:
        w.delete(w.mailbox("ann"))
    assert not any(value in str(caught.value) for value in ("elsewhere", "192.0.2.0", "Trash", "/bin/sh"))
    assert w.text("users") == users


@pytest.mark.parametrize(("_fields", "users"), OTHERWISE)
def test_an_account_that_the_old_server_is_to_lose_goes_with_all_that_is_on_its_line(world, _fields, users):
    w = world(f"# people\n{users}", uid=5, gid=5, home="/h")
    w.open(Place.OLD)
    w.delete(Mailbox(place=Place.OLD, name="ann@example.org"))
    assert w.text("users") == "# people\n"


def test_an_account_whose_user_has_another_password_and_name_by_now_is_removed(world):
    w = world("bob@example.org:x:7:8\n", home="/vmail/%n")
    w.create(w.mailbox("ann"))
    w.put("users", "bob@example.org:x:7:8\nann@example.org:new:7:8:Ann:/vmail/ann::\n")
    w.delete(w.mailbox("ann"))
    assert w.text("users") == "bob@example.org:x:7:8\n"


def test_an_account_whose_entry_for_postfix_is_somebody_elses_is_not_removed(world):
    w = world("ann@example.org:x::::::\n", virtual_mailbox_maps="texthash:vmailbox")
    w.put("vmailbox", "ann@example.org other/place/\n")
    before = w.everything()
    with pytest.raises(WriteError, match="vmailbox:1 has another value than %d/%n/"):
        w.delete(w.mailbox("ann"))
    assert w.everything() == before


def test_a_quota_is_a_field_of_the_line_and_nothing_else_changes(world):
    users = "ann@example.org:x:::Ann:::a=b userdb_quota_rule=*:storage=1G:messages=5 c=d\nbob@example.org:y\n"
    w = world(users)
    assert {name: q.size for name, q in w.read("quota").items()} == {"ann@example.org": 1024**3}
    w.update(quota("ann", 7))
    w.create(quota("bob", 0))
    assert w.text("users") == (
        "ann@example.org:x:::Ann:::a=b userdb_quota_rule=*:bytes=7:messages=5 c=d\n"
        "bob@example.org:y::::::      userdb_quota_rule=*:bytes=0\n"
    )
    assert {name: q.size for name, q in w.read("quota").items()} == {"ann@example.org": 7, "bob@example.org": 0}
    w.delete(quota("bob", 0))
    assert w.text("users").endswith("\nbob@example.org:y\n")


def test_a_quota_of_a_mailbox_that_is_not_there_is_an_error(world):
    with pytest.raises(WriteError, match=r"new/quota/eve@example.org cannot be set: .* make the mailbox first"):
        world(USERS).create(quota("eve", 5))


def test_a_relative_quota_is_neither_shown_nor_overwritten(world):
    users = "ann@example.org:x::::::userdb_quota_rule=*:storage=+10%\n"
    w = world(users)
    assert w.read("quota") == {}
    with pytest.raises(WriteError, match=r"/users:1: new/quota/ann@example.org cannot be set: .*Write an absolute"):
        w.create(quota("ann", 5))
    assert w.text("users") == users


def test_a_limit_is_put_back_as_it_was_spelt(world):
    users = (
        "# people\nann@example.org:x:::Ann:::userdb_quota_rule=Trash:storage=+1M userdb_quota_rule2=*:storage=1G a=b\n"
    )
    w = world(users)
    stood = w.read("quota")["ann@example.org"]
    w.update(quota("ann", 2 * 1024**3))
    assert "userdb_quota_rule=Trash:storage=+1M userdb_quota_rule2=*:bytes=2147483648 a=b" in (w.text("users") or "")
    w.update(stood)
    assert w.text("users") == users


def test_the_spelling_of_a_limit_makes_no_change(world):
    w = world("ann@example.org:x::::::userdb_quota_rule=*:storage=1G\n")
    stands = w.read("quota")["ann@example.org"]
    assert (stands.stored, stands) == ("*:storage=1G", quota("ann", 1024**3))
    assert KIND.merge(quota("ann", 1024**3), stands) is stands


def test_a_rule_of_another_folder_is_neither_shown_nor_touched(world):
    users = "ann@example.org:x::::::userdb_quota_rule=Trash:storage=+100M\n"
    w = world(users)
    assert w.read("quota") == {}
    w.create(quota("ann", 5))
    assert w.text("users") == users.replace("\n", " userdb_quota_rule2=*:bytes=5\n")
    w.delete(quota("ann", 5))
    assert w.text("users") == users


def test_a_rule_that_others_count_on_is_not_taken_away(world):
    w = world("ann@example.org:x\n")
    w.create(quota("ann", 5))
    users = (w.text("users") or "").replace("\n", " userdb_quota_rule2=Trash:ignore\n")
    w.put("users", users)
    with pytest.raises(WriteError, match="take it away by hand"):
        w.delete(quota("ann", 5))
    assert w.text("users") == users


def test_another_field_may_hold_the_quota(world):
    w = world("ann@example.org:x\n", quota_field="quota_rule")
    w.create(quota("ann", 5))
    assert w.text("users") == "ann@example.org:x::::::      quota_rule=*:bytes=5\n"


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ("ann@example.org:x\r\n", r"/users:1: the line ends in CRLF"),
        ("ann@example.org:x\nann@example.org:y\n", r"/users:2: ann@example.org stands here and in line 1"),
        ("ann@example.org:x\nbob@exa", r"/users:2: the line has no password field"),
    ],
)
def test_a_file_that_makes_no_sense_is_neither_read_nor_written(world, users, message):
    w = world(users)
    with pytest.raises(ObserveError, match=message):
        w.read("mailbox")
    with pytest.raises(ObserveError, match=message):
        w.create(w.mailbox("eve"))
    assert w.text("users") == users
