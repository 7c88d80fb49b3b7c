"""The DNS of a Mail-in-a-Box, against the fake one and a name server that serves its zones."""

from collections.abc import Iterator

import pytest

from reconciler.errors import NotServedYet, ObserveError, StalePlan, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.products.mailinabox.dns import BACKEND, keeps
from reconciler.products.mailinabox.rules import Own, body, expected
from reconciler.products.mailinabox.zone import Operation, operations
from tests.fakes.box_scene import DOMAIN, BoxScene
from tests.fakes.name_server import NameServer

DAY = 86400
APEX = f"{DOMAIN}."
BOX = "10 box.example.net."
SPF = "v=spf1 mx -all"


@pytest.fixture
def scene() -> Iterator[BoxScene]:
    made = BoxScene(BACKEND, Place.DNS, wait=0)
    made.user("ann")
    yield made
    made.close()


def rrset(owner: str, rdtype: str, *rdata: str) -> RRset:
    return RRset.of(owner, rdtype, DAY, *rdata)


def mx(*rdata: str) -> RRset:
    return rrset(APEX, "MX", *rdata)


def txt(*rdata: str, owner: str = APEX) -> RRset:
    return rrset(owner, "TXT", *rdata)


def turn(scene: BoxScene, after: RRset | None, name: str | None = None) -> None:
    """From what stands."""
    address = name or (after.name if after else "")
    scene.change(scene.read("rrset").get(address), after)


def customs(scene: BoxScene) -> list[tuple[str, str, str]]:
    return scene.fake.state.zones.custom


def why(scene: BoxScene, after: RRset) -> str:
    refuses = scene.opened.refuses
    assert refuses
    return refuses(Change(scene.read("rrset").get(after.name), after)) or ""


# Reading


def test_the_zone_is_read_with_what_the_box_makes_itself(scene: BoxScene) -> None:
    found = scene.read("rrset")
    assert found[f"{APEX} MX"] == mx(BOX)
    assert found[f"{APEX} TXT"] == txt(SPF)
    assert found[f"{APEX} NS"] == rrset(APEX, "NS", "ns1.box.example.net.", "ns2.box.example.net.")
    assert {r.ttl for r in found.values()} == {DAY}
    assert not any(r.rdtype == "SOA" for r in found.values())


def test_a_subdomain_is_found_in_the_zone_above_it(scene: BoxScene) -> None:
    scene.user("bob", f"sub.{DOMAIN}")
    opened = scene.open(domain=f"sub.{DOMAIN}")
    assert f"sub.{APEX} MX" in {r.name for r in opened.stores["rrset"].read()}


def test_without_a_mailbox_there_is_no_zone_and_what_to_do_is_said(scene: BoxScene) -> None:
    opened = scene.open(domain="elsewhere.example")
    with pytest.raises(ObserveError, match=r"no zone for elsewhere.example. yet: .*first mailbox or alias"):
        list(opened.stores["rrset"].read())


def test_a_zone_that_somebody_broke_is_an_error_that_says_where_to_look(scene: BoxScene) -> None:
    customs(scene).append((DOMAIN, "MX", "10 not a host"))
    with pytest.raises(Exception):  # noqa: B017 - the box itself breaks off
        scene.fake.state.write_zones()
    with pytest.raises(ObserveError, match=r"is broken, .*older one: .*delete it, and plan again"):
        scene.read("rrset")


# MX


def test_an_mx_with_preference_10_replaces_the_box_and_gives_way_again(scene: BoxScene) -> None:
    turn(scene, mx("10 mx.old.example."))
    assert customs(scene) == [(DOMAIN, "MX", "10 mx.old.example.")]
    assert scene.read("rrset")[f"{APEX} MX"] == mx("10 mx.old.example.")
    turn(scene, mx(BOX))
    assert customs(scene) == []
    assert scene.read("rrset")[f"{APEX} MX"] == mx(BOX)


def test_a_single_record_is_turned_in_one_step(scene: BoxScene) -> None:
    turn(scene, mx("10 mx.old.example."))
    turn(scene, mx("10 mx.other.example."))
    assert [m for m, p in scene.fake.calls if p.startswith("/dns/custom/")] == ["PUT", "PUT"]


def test_several_records_are_added_before_others_go(scene: BoxScene) -> None:
    turn(scene, mx("10 a.example.", "20 b.example."))
    turn(scene, mx("10 c.example.", "20 d.example."))
    methods = [m for m, p in scene.fake.calls if p.startswith("/dns/custom/")]
    assert methods == ["POST", "POST", "POST", "POST", "DELETE", "DELETE"]
    assert scene.read("rrset")[f"{APEX} MX"] == mx("10 c.example.", "20 d.example.")


def test_the_box_beside_another_with_its_preference_is_written_out(scene: BoxScene) -> None:
    turn(scene, mx(BOX, "10 second.example."))
    assert {value for _, _, value in customs(scene)} == {BOX, "10 second.example."}


def test_a_backup_beside_the_box_is_all_that_is_custom(scene: BoxScene) -> None:
    turn(scene, mx(BOX, "20 backup.example."))
    assert customs(scene) == [(DOMAIN, "MX", "20 backup.example.")]


@pytest.mark.parametrize("text", ["5 mx.old.example.", "20 mx.old.example."])
def test_another_preference_is_refused_in_the_plan_and_at_the_write(scene: BoxScene, text: str) -> None:
    assert "preference 10" in why(scene, mx(text))
    with pytest.raises(WriteError, match="preference 10"):
        turn(scene, mx(text))
    assert scene.fake.asked("PUT") + scene.fake.asked("POST /dns/custom") == 0


# Texts


def test_spf_is_replaced_and_other_texts_at_the_apex_stay(scene: BoxScene) -> None:
    customs(scene).append((DOMAIN, "TXT", "site-verification=1"))
    scene.fake.state.write_zones()
    both = "v=spf1 mx ip4:192.0.2.1 ~all"
    turn(scene, txt(both, "site-verification=1"))
    assert {value for _, _, value in customs(scene)} == {"site-verification=1", both}
    assert scene.fake.asked("PUT") == 0
    turn(scene, txt(SPF, "site-verification=1"))
    assert [value for _, _, value in customs(scene)] == ["site-verification=1"]


def test_a_text_that_was_added_in_the_meantime_is_not_wiped(scene: BoxScene) -> None:
    before = scene.read("rrset")[f"{APEX} TXT"]
    customs(scene).append((DOMAIN, "TXT", "site-verification=1"))
    scene.fake.state.write_zones()
    with pytest.raises(StalePlan, match="plan again"):
        scene.change(before, txt("v=spf1 -all"))
    assert customs(scene) == [(DOMAIN, "TXT", "site-verification=1")]


@pytest.mark.parametrize(
    ("owner", "text"),
    [
        (APEX, "V=SPF1 mx -all"),
        (f"_dmarc.{APEX}", "v=DMARC1;p=none"),
        (f"mail._domainkey.{APEX}", "v=DKIM1;k=rsa;p=T1RIRVI="),
    ],
)
def test_a_spelling_that_would_leave_two_is_refused_in_the_plan(scene: BoxScene, owner: str, text: str) -> None:
    wanted = txt(text, owner=owner)
    assert "two of them are as good as none" in why(scene, wanted)
    with pytest.raises(WriteError, match="two of them"):
        turn(scene, wanted)
    assert customs(scene) == []


def test_dmarc_and_other_selectors_are_set_and_taken_away(scene: BoxScene) -> None:
    stood = scene.read("rrset")[f"_dmarc.{APEX} TXT"]
    turn(scene, txt("v=DMARC1; p=reject", owner=f"_dmarc.{APEX}"))
    turn(scene, stood)
    assert customs(scene) == []
    key = txt("v=DKIM1; k=rsa; p=" + "A" * 400, owner=f"s1._domainkey.{APEX}")
    turn(scene, key)
    assert scene.read("rrset")[key.name] == key
    turn(scene, None, key.name)
    assert customs(scene) == []


@pytest.mark.parametrize("text", ["caf\\195\\169", "two\\010lines", " blank", "blank ", ""])
def test_a_text_that_the_box_would_change_is_refused(scene: BoxScene, text: str) -> None:
    wanted = txt(text, owner=f"t.{APEX}")
    assert "cannot be set" in why(scene, wanted)
    with pytest.raises(WriteError, match="cannot be set"):
        turn(scene, wanted)
    assert customs(scene) == []


@pytest.mark.parametrize("text", ['say "hi"', "back\\\\slash", "v=x; y=z", "a" * 600])
def test_every_printable_text_comes_back_as_it_was(scene: BoxScene, text: str) -> None:
    turn(scene, txt(text, owner=f"t.{APEX}"))
    assert scene.read("rrset")[f"t.{APEX} TXT"].rdata == {text}


# What it cannot do


def test_every_record_has_one_ttl(scene: BoxScene) -> None:
    short = RRset.of(APEX, "MX", 300, "10 mx.old.example.")
    assert keeps(short, None) == mx("10 mx.old.example.")
    with pytest.raises(WriteError, match="TTL of 86400 seconds"):
        turn(scene, short)
    assert customs(scene) == []


def test_types_that_it_does_not_have_are_refused(scene: BoxScene) -> None:
    assert "no records of type TLSA" in why(scene, rrset(f"_25._tcp.{APEX}", "TLSA", "3 1 1 " + "00" * 32))
    assert "no records of type NS" in why(scene, rrset(APEX, "NS", "ns.example."))
    assert why(scene, rrset(f"sub.{APEX}", "NS", "ns.example.")) == ""


def test_a_cname_beside_other_data_is_refused_because_the_zone_would_stand_still(scene: BoxScene) -> None:
    with pytest.raises(WriteError, match="a CNAME must stand alone"):
        turn(scene, rrset(f"_dmarc.{APEX}", "CNAME", "dmarc.example."))
    turn(scene, rrset(f"alone.{APEX}", "CNAME", "x.example."))
    with pytest.raises(WriteError, match="a CNAME must stand alone"):
        turn(scene, txt("beside", owner=f"alone.{APEX}"))


def test_an_address_of_the_box_itself_cannot_be_replaced_and_is_taken_back(scene: BoxScene) -> None:
    opened = scene.open(domain=scene.fake.state.primary)
    store = opened.stores["rrset"]
    name = f"{scene.fake.state.primary}."
    before = next(r for r in store.read() if r.name == f"{name} A")
    with pytest.raises(WriteError, match=r"was accepted .*What stood before stands again"):
        store.write([Change(before, rrset(name, "A", "198.51.100.1"))])
    assert customs(scene) == []


# Failures


def test_a_lost_answer_is_looked_for_and_the_call_not_repeated(scene: BoxScene) -> None:
    for fault, host in (("drop after", "a"), ("half", "b"), ("break after", "c")):
        wanted = rrset(f"{host}.{APEX}", "TXT", "here")
        scene.fake.fault("POST /dns/custom", fault)
        turn(scene, wanted)
        assert scene.read("rrset")[wanted.name] == wanted
    assert scene.fake.asked("POST /dns/custom") == 3


def test_what_broke_off_before_is_told_as_not_written(scene: BoxScene) -> None:
    scene.fake.fault("PUT /dns/custom", "break")
    with pytest.raises(WriteError, match=r"was not written: .*What stood before stands again"):
        turn(scene, mx("10 mx.old.example."))
    assert customs(scene) == []


def test_a_change_in_a_zone_that_breaks_meanwhile_is_taken_back(scene: BoxScene) -> None:
    state = scene.fake.state
    before = scene.read("rrset")
    original = state.write_zones

    def spoilt(*, force: bool = False) -> str:
        if any(r[1] == "MX" for r in customs(scene)) and (DOMAIN, "SRV", "garbage") not in customs(scene):
            customs(scene).append((DOMAIN, "SRV", "garbage"))
        return original(force=force)

    state.write_zones = spoilt  # type: ignore[method-assign]  # the box breaks in between
    with pytest.raises(WriteError, match=r"was not written: .*could not be taken back .*by hand"):
        scene.change(before[f"{APEX} MX"], mx("10 mx.old.example."))
    assert customs(scene) == [(DOMAIN, "SRV", "garbage")]


# Name servers


@pytest.fixture
def served() -> Iterator[tuple[BoxScene, NameServer]]:
    made = BoxScene(BACKEND, Place.DNS, wait=5)
    made.user("ann")
    server = NameServer(made.fake.state.zones.served)
    made.options["name_servers"] = [server.where]
    yield made, server
    made.close()
    server.stop()


def test_a_change_is_done_when_the_name_servers_serve_it(served: tuple[BoxScene, NameServer]) -> None:
    scene, server = served
    turn(scene, mx("10 mx.old.example."))
    servers = scene.opened.name_servers
    assert servers
    assert servers.served({f"{APEX} MX"}) == {server.where: {f"{APEX} MX": mx("10 mx.old.example.")}}


def test_a_name_server_that_stands_still_is_named(served: tuple[BoxScene, NameServer]) -> None:
    scene, server = served
    scene.options["wait"] = 1
    server.zones = dict(scene.fake.state.zones.served)
    with pytest.raises(NotServedYet, match="still serves serial"):
        turn(scene, mx("10 mx.old.example."))
    assert customs(scene) == [(DOMAIN, "MX", "10 mx.old.example.")]


# The rules alone


def test_what_the_box_makes_is_known_for_its_mail_domains_only() -> None:
    assert expected(APEX, "MX", {APEX}, "box.example.net.").rdata == {BOX}
    assert expected(f"_dmarc.{APEX}", "TXT", {APEX}, "box.example.net.").rdata == {"v=DMARC1; p=quarantine;"}
    assert expected(APEX, "MX", set(), "box.example.net.").rdata == frozenset()


def test_at_a_name_without_mail_any_mx_replaces_the_refusal() -> None:
    own = Own(f"www.{APEX}", "MX", of_mail=False, rdata=frozenset({"0 ."}))
    assert own.custom_for(frozenset({"20 mail.example."})) == frozenset({"20 mail.example."})
    assert own.custom_for(frozenset({"0 ."})) == frozenset()


def test_what_cannot_be_served_has_no_custom_records() -> None:
    own = Own(APEX, "MX", of_mail=True, rdata=frozenset({BOX}))
    assert own.custom_for(frozenset({"20 mail.example."})) is None
    assert own.custom_for(frozenset()) is None


def test_records_that_are_to_stand_again_are_written_as_they_were() -> None:
    found = operations("A", {"192.0.2.9": "192.0.2.9"}, frozenset({"192.0.2.10"}), raw={"192.0.2.10": "local"})
    assert list(found) == [Operation("PUT", "local")]


def test_a_text_is_sent_without_quotes_and_escapes() -> None:
    assert body("TXT", 'a "b" \\\\ c') == 'a "b" \\ c'
    assert body("MX", BOX) == BOX
