import pytest

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.change import Change
from reconciler.resources.server.alias import KIND
from tests.support.server_files import alias, catch_all

USERS = "ann@example.org:x\nbob@example.org:x\nroot:x\neve@example.com:x\n"
VIRTUAL = (
    "# aliases\n"
    "info@example.org  ann@example.org,\n"
    "    bob@example.org\n"
    "info@example.com  eve@example.com\n"
    "\n"
    "bob@example.org   bob@example.org, x@x.org"
)
KEPT = "# reconciler: mailboxes kept from the catch-all of example.org\n"
END = "# reconciler: end of the mailboxes kept from the catch-all of example.org"


def test_the_aliases_of_the_domain_are_read(world):
    assert {n: set(a.targets) for n, a in world(USERS, VIRTUAL).read("alias").items()} == {
        "info@example.org": {"ann@example.org", "bob@example.org"},
        "bob@example.org": {"bob@example.org", "x@x.org"},
    }


def test_create_and_delete_restore_every_octet(world):
    w = world(USERS, VIRTUAL)
    w.create(alias("sales", "ann@example.org", "b@x.org"), alias("help", "ann@example.org"))
    assert w.text("virtual") == (
        f"{VIRTUAL}\nsales@example.org ann@example.org, b@x.org\nhelp@example.org ann@example.org"
    )
    w.delete(alias("sales"), alias("help"))
    assert w.text("virtual") == VIRTUAL


def test_an_update_touches_its_entry_only(world):
    w = world(USERS, VIRTUAL)
    w.update(alias("info", "ann@example.org", "c@x.org"))
    assert w.text("virtual") == VIRTUAL.replace("    bob@example.org\n", "    c@x.org\n")


def test_an_alias_that_is_put_back_has_its_layout_again(world):
    wrapped = "info@example.org zoe@x.org,\n\tbob@x.org\n# in between\n\tann@example.org\n"
    virtual = wrapped + VIRTUAL.replace("info@", "help@")
    w = world(USERS, virtual)
    stood = w.read("alias")["info@example.org"]
    w.update(alias("info", "ann@example.org", "c@x.org"))
    assert "info@example.org ann@example.org c@x.org\n# in between" in (w.text("virtual") or "")
    w.update(stood)
    assert w.text("virtual") == virtual


def test_a_layout_never_brings_in_a_target(world):
    w = world(USERS, VIRTUAL)
    w.update(alias("info", "c@x.org").model_copy(update={"stored": "info@example.org c@x.org, thief@x.org"}))
    assert w.read("alias")["info@example.org"].targets == {"c@x.org"}


def test_the_layout_of_an_alias_makes_no_change(world):
    stands = world(USERS, VIRTUAL).read("alias")["info@example.org"]
    assert KIND.merge(alias("info", "bob@example.org", "ann@example.org"), stands) is stands


def test_a_map_that_was_made_for_the_first_alias_goes_with_the_last(world):
    w = world(USERS, None)
    w.create(alias("info", "ann@example.org"))
    assert w.text("virtual") == "# made by reconciler\ninfo@example.org ann@example.org\n"
    w.delete(alias("info"))
    assert w.text("virtual") is None


def test_an_alias_that_changed_since_the_plan_is_not_overwritten(world):
    w = world(USERS, VIRTUAL)
    before = w.read("alias")["info@example.org"]
    w.put("virtual", VIRTUAL.replace("ann@example.org,", "dan@example.org,"))
    stands = w.text("virtual")
    with pytest.raises(
        StalePlan, match=r"info@example.org in .*/virtual is targets bob@.* dan@.* and not targets ann@"
    ):
        w.write(Change(before, alias("info", "x@x.org")))
    assert w.text("virtual") == stands


def test_an_alias_that_cannot_be_written_is_refused_and_the_batch_with_it(world):
    w = world(USERS, VIRTUAL)
    with pytest.raises(WriteError, match=r"new/alias/#x@example.org cannot be written to .*/virtual"):
        w.create(alias("ok", "x@x.org"), alias("#x", "x@x.org"))
    assert w.text("virtual") == VIRTUAL


def test_a_catch_all_takes_no_mail_of_mailboxes(world):
    w = world(USERS, VIRTUAL)
    w.create(catch_all("info@example.org"))
    assert w.text("virtual") == (
        f"{VIRTUAL}\n@example.org info@example.org\n{KEPT}ann@example.org ann@example.org\n{END}"
    )
    assert w.read("catch_all") == {"example.org": catch_all("info@example.org")}
    assert "ann@example.org" not in w.read("alias")
    w.delete(catch_all())
    assert w.text("virtual") == VIRTUAL


def test_a_catch_all_where_every_mailbox_has_an_entry_needs_no_block(world):
    w = world("bob@example.org:x\n", VIRTUAL)
    w.create(catch_all("info@example.org"))
    assert w.text("virtual") == f"{VIRTUAL}\n@example.org info@example.org"


def test_a_catch_all_changes_its_targets_and_nothing_else(world):
    w = world(USERS, "@example.org  a@x.org # x\n")
    w.put("virtual", "@Example.org  a@x.org\n")
    w.update(catch_all("a@x.org", "b@x.org"))
    assert w.text("virtual") == "@Example.org  a@x.org, b@x.org\n"


def test_a_catch_all_that_is_put_back_has_its_layout_again(world):
    virtual = "# everybody else\n@example.org\tann@example.org\n  bob@example.org\n"
    w = world(USERS, virtual)
    stood = w.read("catch_all")["example.org"]
    w.update(catch_all("ann@example.org"))
    w.update(stood)
    assert w.text("virtual") == virtual


def test_an_alias_takes_the_place_of_the_self_entry_and_gives_it_back(world):
    w = world(USERS, VIRTUAL)
    w.create(catch_all("info@example.org"))
    before = w.text("virtual")
    w.create(alias("ann", "ann@example.org", "x@x.org"))
    assert "ann@example.org ann@example.org\n" not in w.text("virtual")
    assert w.read("alias")["ann@example.org"] == alias("ann", "ann@example.org", "x@x.org")
    w.delete(alias("ann"))
    assert w.text("virtual") == before


def test_an_alias_of_no_mailbox_leaves_no_self_entry(world):
    w = world(USERS, "@example.org x@x.org\n")
    w.create(alias("info", "x@x.org"))
    w.delete(alias("info"))
    assert w.text("virtual") == "@example.org x@x.org\n"


def test_a_stale_catch_all_is_not_overwritten(world):
    w = world(USERS, "@example.org x@x.org\n")
    with pytest.raises(StalePlan, match=r"example.org in .* is targets x@x.org and not absent"):
        w.create(catch_all("y@x.org"))


def test_two_entries_for_one_address_are_an_error(world):
    w = world(USERS, "info@example.org a\ninfo@example.org b\n")
    with pytest.raises(ObserveError, match=r"/virtual:2: info@example.org stands here and in line 1"):
        w.read("alias")
