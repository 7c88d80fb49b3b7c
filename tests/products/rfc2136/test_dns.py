"""The backend against a real BIND, with an NSD that follows it."""

import dataclasses
import logging
import signal
import threading
import time
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from reconciler.engine.apply import apply
from reconciler.errors import NotServedYet, ObserveError, SecretError, StalePlan, WriteError
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.event import Waiting
from reconciler.model.plan import Plan, Step
from reconciler.model.reference import reference
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.products.rfc2136 import dns as rfc2136
from reconciler.products.rfc2136 import update as update_module
from reconciler.products.rfc2136.zone import UpdatedZone
from reconciler.transports.dns.authority import Authority
from reconciler.transports.dns.following import behind
from reconciler.transports.dns.server_address import Server, host_and_port
from tests.engine.test_apply import SPEC, states
from tests.lab.bind import ZONE, Bind, TsigKey
from tests.lab.nsd import Nsd
from tests.lab.sshd import Wire
from tests.lab.unbound import Unbound
from tests.products.rfc2136.updated import MX, NEW, OLD, make, opened, standing
from tests.support.clock import MONDAY_MORNING
from tests.support.listening import Heard
from tests.support.move import NO_CHECKS, Move

pytestmark = pytest.mark.daemon
DKIM = "k._domainkey.example.org. TXT"
LONG = "v=DKIM1; k=rsa; p=" + "A" * 580


def primary_of(bind: Bind) -> Authority:
    zone = opened(bind, bind.keys[0]).stores["rrset"]
    assert isinstance(zone, UpdatedZone)
    return zone.primary


@pytest.fixture
def bind(lab: Callable[[Bind], Bind]) -> Bind:
    return lab(Bind()).start()


@pytest.fixture
def zone(bind):
    return opened(bind, bind.keys[0])


def write(product, before, after) -> None:
    product.stores["rrset"].write([Change(before, after)])


class TestReading:
    def test_a_transfer_shows_everything_but_what_the_server_makes_itself(self, zone) -> None:
        assert {rrset.name for rrset in zone.stores["rrset"].read()} == {
            "example.org. NS",
            "example.org. TXT",
            "ns1.example.org. A",
            "ns2.example.org. A",
            "www.example.org. A",
        }

    def test_where_transfers_are_refused_each_record_is_asked_for(self, lab) -> None:
        bind = lab(Bind(transfer="none;")).start()
        names = [f"{owner}.example.org. {rdtype}" for owner in ("www", "ns1", "nix") for rdtype in ("A", "AAAA", "MX")]
        found = {rrset.name: rrset for rrset in opened(bind, bind.keys[0]).stores["rrset"].read(names)}
        assert found.keys() == {"www.example.org. A", "ns1.example.org. A"}
        assert found["www.example.org. A"] == RRset.of("www.example.org", "A", 3600, "192.0.2.80")

    def test_refused_transfers_are_an_error_where_they_are_asked_for(self, lab) -> None:
        bind = lab(Bind(transfer="none;")).start()
        with pytest.raises(ObserveError, match=r"REFUSED.*allow-transfer"):
            opened(bind, bind.keys[0], read="axfr").stores["rrset"].read({MX})
        with pytest.raises(ObserveError, match="allow-transfer"):
            opened(bind, bind.keys[0]).stores["rrset"].read()

    def test_a_zone_read_by_questions_cannot_be_read_whole(self, bind) -> None:
        with pytest.raises(ObserveError, match="read: query"):
            opened(bind, bind.keys[0], read="query").stores["rrset"].read()

    def test_an_answer_too_long_for_udp_comes_over_tcp(self, lab) -> None:
        texts = "".join(f'long IN TXT "{number} {"x" * 240}"\n' for number in range(9))
        bind = lab(Bind({"example.org": ZONE + texts})).start()
        (found,) = opened(bind, bind.keys[0], read="query").stores["rrset"].read({"long.example.org. TXT"})
        assert len(found.rdata) == 9

    @pytest.mark.parametrize("test", ["ednsformerr", "ednsnotimp", "noedns", "maxudp512"])
    def test_servers_from_before_edns_are_understood(self, lab, test) -> None:
        bind = lab(Bind(switches=("-T", test))).start()
        assert standing(opened(bind, None), "www.example.org. A")

    def test_a_server_that_says_nothing_over_udp_is_asked_over_tcp(self, bind) -> None:
        wire = Wire(bind.port)
        assert Authority(Server("behind a firewall", "127.0.0.1", wire.port), "example.org.", 1.0).serial() == 7
        wire.close()

    def test_what_a_wildcard_answers_does_not_exist(self, lab) -> None:
        bind = lab(Bind({"example.org": ZONE + "* 60 IN A 192.0.2.9\nreal 60 IN A 192.0.2.8\n"})).start()
        assert bind.answers("host.example.org.", "A") == {"192.0.2.9"}
        product = opened(bind, bind.keys[0], read="query")
        assert standing(product, "host.example.org. A") is None
        assert standing(product, "real.example.org. A") == RRset.of("real.example.org", "A", 60, "192.0.2.8")
        assert standing(product, "*.example.org. A") == RRset.of("*.example.org", "A", 60, "192.0.2.9")
        made = make(bind, RRset.of("host.example.org", "A", 60, "192.0.2.7"), read="query")
        assert standing(product, "host.example.org. A") == made

    def test_a_name_in_a_zone_below_does_not_exist_in_this_one(self, lab) -> None:
        bind = lab(Bind({"example.org": ZONE + "mta-sts IN NS ns.elsewhere.example.\n"})).start()
        assert standing(opened(bind, None), "mta-sts.example.org. A") is None

    def test_a_wrong_zone_is_named(self, bind) -> None:
        with pytest.raises(ObserveError, match=r"example\.net\..*REFUSED"):
            standing(opened(bind, bind.keys[0], zone="example.net"))
        with pytest.raises(ObserveError, match="no SOA"):
            standing(opened(bind, bind.keys[0], zone="www.example.org"))

    def test_a_resolver_or_lame_server_is_not_taken_for_a_name_server(self, lab, bind) -> None:
        resolver = lab(Unbound({"example.org": [bind]})).start()
        with pytest.raises(ObserveError, match=resolver.where):
            standing(opened(resolver, None))
        lame = lab(Bind(switches=("-T", "noaa"))).start()
        with pytest.raises(ObserveError, match=r"authority.*lame"):
            standing(opened(lame, None))


class TestWriting:
    def test_a_change_is_made_and_taken_back(self, bind, zone) -> None:
        write(zone, None, OLD)
        write(zone, OLD, NEW)
        assert bind.answers("example.org.", "MX") == {"10 mail.new.example."}
        write(zone, NEW, None)
        assert bind.answers("example.org.", "MX") == set()
        assert bind.serial("example.org") == 10

    def test_the_ttl_alone_can_change(self, zone) -> None:
        write(zone, None, OLD)
        lowered = RRset.of("example.org", "MX", 60, *OLD.rdata)
        write(zone, OLD, lowered)
        assert standing(zone) == lowered

    @pytest.mark.parametrize(
        "text",
        [
            'quotes " and "" more',
            "a backslash \\\\ and two \\\\\\\\",
            "semicolons; and spaces  ",
            "gr\\195\\188\\195\\159e \\000\\010\\255",
            "",
            "x" * 255,
            "x" * 256,
            "y" * 4000,
        ],
    )
    def test_any_text_comes_back_as_it_was_written(self, zone, text) -> None:
        name = RRset.of("t.example.org", "TXT", 60, text, "another")
        write(zone, None, name)
        assert standing(zone, name.name) == name
        write(zone, name, None)
        assert standing(zone, name.name) is None

    def test_no_moment_passes_without_the_rrset(self, bind, zone) -> None:
        write(zone, None, OLD)
        seen, over = [], threading.Event()

        def watch() -> None:
            while not over.is_set():
                seen.append(frozenset(bind.answers("example.org.", "MX")))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(10):
            write(zone, OLD, NEW)
            write(zone, NEW, OLD)
        over.set()
        watcher.join()
        assert set(seen) <= {OLD.rdata, NEW.rdata}
        assert len(seen) > 20

    def test_a_key_that_somebody_split_otherwise_is_replaced(self, bind, zone) -> None:
        thirds = " ".join(f'"{LONG[i : i + 100]}"' for i in range(0, len(LONG), 100))
        bind.nsupdate(f"update add k._domainkey.example.org 3600 TXT {thirds}")
        before = RRset.of("k._domainkey.example.org", "TXT", 3600, LONG)
        assert standing(zone, DKIM) == before
        after = RRset.of("k._domainkey.example.org", "TXT", 3600, LONG.replace("A", "B"))
        write(zone, before, after)
        assert standing(zone, DKIM) == after
        assert len(bind.answers("k._domainkey.example.org.", "TXT")) == 1

    def test_a_key_that_somebody_split_otherwise_is_removed(self, bind, zone) -> None:
        bind.nsupdate(
            f'update add k._domainkey.example.org 60 TXT "{LONG[:7]}" "{LONG[7:200]}" "{LONG[200:400]}" "{LONG[400:]}"'
        )
        write(zone, RRset.of("k._domainkey.example.org", "TXT", 60, LONG), None)
        assert bind.answers("k._domainkey.example.org.", "TXT") == set()

    def test_a_foreign_text_beside_ours_stays_as_somebody_split_it(self, bind, zone) -> None:
        bind.nsupdate('update add example.org 3600 TXT "one " "and two"')
        before = RRset.of("example.org", "TXT", 3600, "site-verification=1", "one and two")
        write(zone, before, RRset.of("example.org", "TXT", 60, *before.rdata, "v=spf1 -all"))
        assert bind.answers("example.org.", "TXT") == {'"site-verification=1"', '"one " "and two"', '"v=spf1 -all"'}

    @pytest.mark.parametrize(
        ("after", "why"),
        [
            (RRset.of("example.net", "MX", 60, "0 ."), "outside of the zone"),
            (RRset.of("notexample.org", "MX", 60, "0 ."), "outside of the zone"),
            (RRset.of("example.org", "NS", 60, "ns.example.net."), "not ours"),
            (RRset.of("c.example.org", "CNAME", 60, "a.example.net.", "b.example.net."), "has one"),
        ],
        ids=lambda value: getattr(value, "name", value),
    )
    def test_what_no_update_can_do_is_refused_in_the_plan_and_when_written(self, bind, zone, after, why) -> None:
        change = Change(None, after)
        assert zone.refuses
        assert why in (zone.refuses(change) or "")
        with pytest.raises(WriteError, match=why):
            zone.stores["rrset"].write([change])
        assert bind.serial("example.org") == 7

    def test_what_an_update_can_do_is_not_refused(self, zone) -> None:
        assert zone.refuses
        assert zone.refuses(Change(None, OLD)) is None

    def test_a_value_that_is_not_known_yet_is_not_written(self, bind, zone) -> None:
        key = reference(Address(Place.NEW, "dkim_key", "k._domainkey.example.org"))
        for after in (RRset.of("k._domainkey.example.org", "TXT", 60, key), RRset.of("example.org", "MX", 60)):
            with pytest.raises(WriteError, match="not known yet"):
                write(zone, None, after)
        assert bind.serial("example.org") == 7

    def test_nothing_is_put_beside_a_cname(self, bind, zone) -> None:
        bind.nsupdate("update add c.example.org 60 CNAME www.example.org.")
        with pytest.raises(WriteError, match="is a CNAME"):
            write(zone, None, RRset.of("c.example.org", "A", 60, "192.0.2.1"))
        with pytest.raises(WriteError, match="other records of that name"):
            write(zone, None, RRset.of("www.example.org", "CNAME", 60, "c.example.org."))
        assert bind.answers("c.example.org.", "CNAME") == {"www.example.org."}

    def test_a_cname_is_made_changed_and_removed(self, bind, zone) -> None:
        first = RRset.of("c.example.org", "CNAME", 60, "www.example.org.")
        second = RRset.of("c.example.org", "CNAME", 60, "elsewhere.example.")
        write(zone, None, first)
        write(zone, first, second)
        assert bind.answers("c.example.org.", "CNAME") == {"elsewhere.example."}
        write(zone, second, None)
        assert bind.answers("c.example.org.", "CNAME") == set()

    def test_an_update_that_is_not_answered_may_have_been_made(self, bind, zone) -> None:
        primary = dataclasses.replace(zone.stores["rrset"].primary, timeout=0.3)
        bind.signal(signal.SIGSTOP)
        with pytest.raises(WriteError, match=r"did not answer.*only a reading shows"):
            update_module.send(primary, Change(None, OLD), None)
        bind.signal(signal.SIGCONT)
        bind.await_serial("example.org", 8)
        assert standing(zone) == OLD

    def test_what_is_too_long_for_an_update_is_not_sent(self, bind, zone) -> None:
        with pytest.raises(WriteError, match="65535 octets"):
            write(zone, None, RRset.of("t.example.org", "TXT", 60, *(f"{n}{'x' * 4000}" for n in range(17))))
        assert bind.serial("example.org") == 7

    def test_a_zone_that_its_primary_signs_is_written_as_well(self, lab) -> None:
        bind = lab(Bind(zone_options="dnssec-policy default; inline-signing yes;", options="")).start()
        product = opened(bind, bind.keys[0])
        write(product, None, OLD)
        write(product, OLD, NEW)
        assert standing(product) == NEW
        assert bind.answers("example.org.", "DNSKEY")
        assert {rrset.rdtype for rrset in product.stores["rrset"].read()} <= {
            "A",
            "NS",
            "MX",
            "TXT",
            "DNSKEY",
            "CDS",
            "CDNSKEY",
        }


class TestSomebodyElse:
    def test_an_edit_before_ours_is_not_overwritten(self, bind, zone) -> None:
        write(zone, None, OLD)
        bind.nsupdate("update add example.org 3600 MX 20 backup.example.")
        with pytest.raises(StalePlan, match=r"backup\.example"):
            write(zone, OLD, NEW)
        assert bind.answers("example.org.", "MX") == {"10 mail.old.example.", "20 backup.example."}

    def test_an_edit_of_the_ttl_alone_is_not_overwritten(self, bind, zone) -> None:
        write(zone, None, OLD)
        bind.nsupdate("update delete example.org MX", "update add example.org 77 MX 10 mail.old.example.")
        with pytest.raises(StalePlan, match="TTL 77"):
            write(zone, OLD, NEW)

    @pytest.mark.parametrize(
        "edit",
        [
            ["update add example.org 3600 MX 20 backup.example."],
            ["update delete example.org MX"],
            ["update delete example.org MX", "update add example.org 3600 MX 10 other.example."],
        ],
        ids=["added", "removed", "replaced"],
    )
    def test_an_edit_between_our_reading_and_our_update_is_seen_by_the_server(self, bind, zone, edit) -> None:
        write(zone, None, OLD)
        primary = zone.stores["rrset"].primary
        read = primary.standing(MX)
        bind.nsupdate(*edit)
        edited = bind.answers("example.org.", "MX")
        with pytest.raises(StalePlan, match="at the same moment"):
            update_module.send(primary, Change(OLD, NEW), read)
        assert bind.answers("example.org.", "MX") == edited

    def test_a_record_made_between_our_reading_and_our_update_is_seen_by_the_server(self, bind, zone) -> None:
        bind.nsupdate("update add example.org 3600 MX 20 backup.example.")
        with pytest.raises(StalePlan, match="YXRRSET"):
            update_module.send(zone.stores["rrset"].primary, Change(None, NEW), None)

    def test_a_cname_made_between_our_reading_and_our_update_is_seen_by_the_server(self, bind, zone) -> None:
        bind.nsupdate("update add c.example.org 60 CNAME www.example.org.")
        with pytest.raises(StalePlan):
            update_module.send(
                zone.stores["rrset"].primary, Change(None, RRset.of("c.example.org", "A", 60, "192.0.2.1")), None
            )


class Skewed:
    """The clock of a machine that is wrong by an hour."""

    @staticmethod
    def time() -> float:
        return time.time() + 3600  # noqa: TID251 - the time that dnspython signs with


class TestKeys:
    def refused(self, product, words: str, secret: str) -> None:
        for act in (
            lambda: list(product.stores["rrset"].read()),
            lambda: list(product.stores["rrset"].read({MX})),
            lambda: write(product, None, OLD),
        ):
            with pytest.raises((ObserveError, WriteError), match=words) as caught:
                act()
            assert secret not in str(caught.value)
            assert secret not in repr(caught.value.__cause__)

    def test_an_unknown_key_is_named(self, bind) -> None:
        key = TsigKey(name="nobody", secret=bind.keys[0].secret)
        self.refused(opened(bind, key), r"nobody.*BADKEY.*key_name", key.secret)

    def test_a_wrong_algorithm_is_named(self, bind) -> None:
        key = dataclasses.replace(bind.keys[0], algorithm="hmac-sha512")
        self.refused(opened(bind, key), r"hmac-sha512.*BADKEY.*key_algorithm", key.secret)

    def test_a_wrong_secret_is_named_and_not_shown(self, bind) -> None:
        key = TsigKey()
        self.refused(opened(bind, key), r"BADSIG.*key_secret", key.secret)

    def test_a_wrong_clock_is_named(self, bind, zone, monkeypatch) -> None:
        for module in ("dns.message", "dns.renderer"):
            monkeypatch.setattr(f"{module}.time", Skewed)
        self.refused(zone, r"clock.*BADTIME.*NTP", bind.keys[0].secret)

    @pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha384", "hmac-sha512"])
    def test_every_algorithm_is_spoken(self, lab, algorithm) -> None:
        bind = lab(Bind(None, TsigKey(algorithm=algorithm))).start()
        write(opened(bind, bind.keys[0]), None, OLD)

    def test_a_key_that_may_not_update_is_told_so(self, lab) -> None:
        reader, writer = TsigKey("reader"), TsigKey("writer")
        bind = lab(Bind(None, writer, reader, update='key "writer";')).start()
        with pytest.raises(WriteError, match=r"reader.*REFUSED.*allow-update"):
            write(opened(bind, reader), None, OLD)

    def test_a_secret_that_is_not_base64_is_not_shown(self, bind) -> None:
        key = dataclasses.replace(bind.keys[0], secret="this is a password")
        with pytest.raises(SecretError, match="not base64") as caught:
            standing(opened(bind, key))
        assert "password" not in str(caught.value)
        assert "env:KEY" in str(caught.value)

    def test_the_secret_is_in_no_log_and_no_repr(self, bind, zone, caplog) -> None:
        caplog.set_level(logging.DEBUG)
        write(zone, None, OLD)
        assert bind.keys[0].secret not in caplog.text
        assert bind.keys[0].secret not in repr(zone)
        assert bind.keys[0].secret not in repr(zone.stores["rrset"].primary.tsig)

    def test_half_a_key_is_refused_when_the_spec_is_loaded(self) -> None:
        for half in ({"key_name": "k"}, {"key_secret": "env:K"}):
            with pytest.raises(ValidationError, match="go together"):
                rfc2136.Options.model_validate({"server": "192.0.2.1", **half})


class TestNameServers:
    @pytest.fixture
    def pair(self, lab):
        """A primary and the name server that follows it."""
        nsd, key = lab(Nsd()), TsigKey()
        bind = lab(Bind(None, key, also_notify=[nsd])).start()
        return bind, nsd.start(bind, key)

    def test_a_write_is_done_when_all_serve_it(self, pair) -> None:
        bind, nsd = pair
        product = opened(bind, bind.keys[0], [bind, nsd])
        write(product, None, OLD)
        assert nsd.answers("example.org.", "MX") == {"10 mail.old.example."}
        assert product.name_servers
        assert product.name_servers.served([MX, "example.org. A"]) == {
            server.where: {MX: OLD, "example.org. A": None} for server in pair
        }

    def test_serials_that_wrap_around_are_followed(self, lab) -> None:
        nsd, key = lab(Nsd()), TsigKey()
        text = ZONE.replace(" 7 7200", f" {2**32 - 1} 7200")
        bind = lab(Bind({"example.org": text}, key, also_notify=[nsd])).start()
        nsd.start(bind, key)
        write(opened(bind, key, [bind, nsd]), None, OLD)
        assert nsd.serial("example.org") < 7
        assert nsd.answers("example.org.", "MX") == set(OLD.rdata)

    def test_one_that_never_follows_is_named_and_the_change_stands(self, lab, bind, caplog) -> None:
        caplog.set_level(logging.INFO)
        stuck = lab(Bind()).start()
        heard = Heard()
        product = opened(bind, bind.keys[0], [bind, stuck], wait=1, events=heard)
        with pytest.raises(NotServedYet, match=rf"0:00:01 later .*{stuck.where}.* still serves serial 7"):
            write(product, None, OLD)
        assert standing(product) == OLD
        assert f"{stuck.where}" in caplog.text
        assert [stuck.where in event.words for event in heard if isinstance(event, Waiting)] == [True]
        assert product.name_servers
        assert product.name_servers.served([MX]) == {bind.where: {MX: OLD}, stuck.where: {MX: None}}

    def test_the_journal_says_done_and_the_run_stops(self, lab, bind) -> None:
        stuck = lab(Bind()).start()
        product = opened(bind, bind.keys[0], [bind, stuck], wait=0.2)
        move = Move(SPEC, checks=NO_CHECKS)
        move.stores[Place.DNS, "rrset"] = product.stores["rrset"]
        steps = (
            Step(1, Stage.OVERLAP, Change(None, OLD)),
            Step(2, Stage.OVERLAP, Change(None, RRset.of("k.example.org", "TXT", 60, "k"))),
        )
        plan = Plan("example.org", Stage.OVERLAP, MONDAY_MORNING, "0" * 64, steps)
        with pytest.raises(NotServedYet, match="apply again"):
            apply(plan, move.hands())
        assert states(move) == ["done"]
        assert bind.answers("k.example.org.", "TXT") == set()

    def test_one_that_is_behind_but_comes_is_waited_for(self, pair) -> None:
        bind, nsd = pair
        nsd.stop()
        starting = threading.Timer(0.3, nsd.start, (bind, bind.keys[0]))
        starting.start()
        write(opened(bind, bind.keys[0], [bind, nsd], wait=20, timeout=0.5), None, OLD)
        starting.join()
        assert nsd.answers("example.org.", "MX") == set(OLD.rdata)

    def test_one_that_is_down_is_an_error_that_names_it(self, pair) -> None:
        bind, nsd = pair
        nsd.stop()
        product = opened(bind, bind.keys[0], [bind, nsd], wait=0.3, timeout=0.5)
        assert product.name_servers
        with pytest.raises(ObserveError, match=rf"{nsd.where}.*cannot be reached"):
            product.name_servers.served([MX])
        with pytest.raises(NotServedYet, match=nsd.where):
            write(product, None, OLD)

    def test_they_are_not_waited_for_where_the_wait_is_nought(self, lab, bind) -> None:
        stuck = lab(Bind()).start()
        write(opened(bind, bind.keys[0], [bind, stuck], wait=0), None, OLD)

    def test_they_are_those_of_the_zone_where_none_are_listed(self, lab) -> None:
        text = ZONE.replace("NS ns1\n", "NS localhost.\n").replace("@ IN NS ns2\n", "")
        bind = lab(Bind({"example.org": text})).start()
        assert Server("localhost (127.0.0.1)", "127.0.0.1", 5353) in rfc2136.of_zone(primary_of(bind), 5353)

    def test_one_whose_name_has_no_address_is_an_error(self, lab) -> None:
        text = ZONE.replace("NS ns1\n", "NS nowhere.invalid.\n")
        bind = lab(Bind({"example.org": text})).start()
        with pytest.raises(ObserveError, match=r"nowhere\.invalid.*name_servers"):
            rfc2136.of_zone(primary_of(bind))

    def test_a_primary_that_is_down_is_an_error_that_names_it(self, bind, zone) -> None:
        bind.stop()
        with pytest.raises(ObserveError, match=bind.where):
            standing(zone)
        with pytest.raises(ObserveError, match=bind.where):
            write(zone, None, OLD)


@pytest.mark.parametrize(
    ("earlier", "later"), [(1, 2), (2**32 - 1, 0), (2**32 - 1, 1), (0, 2**31 - 1), (2026030200, 2026030201)]
)
def test_serials_are_compared_on_a_circle(earlier, later) -> None:
    assert behind(earlier, later)
    assert not behind(later, earlier)
    assert not behind(later, later)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("ns1.example.net", "ns1.example.net", 53),
        ("ns1.example.net:5353", "ns1.example.net", 5353),
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:65535", "192.0.2.1", 65535),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_a_name_server_is_written_as_people_do(text, host, port) -> None:
    assert host_and_port(text) == (host, port)


@pytest.mark.parametrize("text", ["", "a b", "ns1:", "ns1:0", "ns1:65536", "ns1:dns", "[ns1]:53", "udp://ns1", "u@ns1"])
def test_what_is_no_name_server_is_refused_when_the_spec_is_loaded(text) -> None:
    with pytest.raises(ValidationError):
        rfc2136.Options.model_validate({"server": text})
