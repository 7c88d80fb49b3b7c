"""Random specs, and random worlds that they could meet: with foreign things in them."""

from hypothesis import strategies as st

from reconciler.model.address import Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.spec import Spec

ENDS = {"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}}
PEOPLE = ("ann", "bob", "cleo", "dan")
FOREIGN_TEXTS = ("site-verification=1", "MS=ms123", 'some; text with "quotes"')
OTHER_RULE = 'require ["fileinto"];\n# rule:[Lists]\nif header :contains "list-id" "dev"\n{\n\tfileinto "Dev";\n}\n'


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    people = draw(st.lists(st.sampled_from(PEOPLE), unique=True, min_size=1))
    boxes = [
        {
            "address": f"{name}@example.org",
            "name": draw(st.sampled_from(["", name.title()])),
            **({"quota": draw(st.sampled_from([0, "1 GiB"]))} if draw(st.booleans()) else {}),
            **({"forward_to": f"{name}@old-box.example"} if draw(st.booleans()) else {}),
            **({"old_mail": False, "password": "generate"} if draw(st.integers(0, 3)) == 3 else {}),
        }
        for name in people
    ]
    keys = draw(st.sampled_from([[], ["new2026"], ["new2026", "second"]]))
    return Spec.model_validate(
        {
            "domain": "example.org",
            "old": {
                "backend": "memory",
                "mx": draw(st.sampled_from([["10 mail.old.example"], ["10 a.old.example", "20 b.old.example"]])),
                "senders": ["ip4:192.0.2.10", "a:mail.old.example"],
                "dkim": draw(st.sampled_from([[], ["old2019"]])),
            },
            "new": {
                "backend": "memory",
                "mx": ["10 mail.new.example"],
                "senders": ["ip4:198.51.100.7"],
                "dkim": keys,
            },
            "dns": {"backend": "memory"},
            "senders": draw(st.sampled_from([[], ["include:_spf.shop.example"]])),
            "hosts": draw(
                st.sampled_from(
                    [{}, {"imap.example.org": {"old": ["192.0.2.10"], "new": ["198.51.100.7", "2001:db8::7"]}}]
                )
            ),
            "ttl": {"during": draw(st.sampled_from([300, 60, 7200])), **draw(_silent_or("after", 7200, 60))},
            "waits": {
                **draw(_silent_or("decommission", "30d", "0s")),
                **draw(_silent_or("quiet", "1h", "10d", "0s")),
                **draw(_silent_or("copy_fresh", "5m", "7d")),
                **draw(_silent_or("margin", "10m")),
            },
            "copy": draw(st.sampled_from([None, ENDS, {**ENDS, "approved": [boxes[0]["address"]]}])),
            "probe": draw(st.none() | _probing(f"{people[0]}@example.org", signs=bool(keys))),
            "dmarc": draw(
                st.sampled_from([None, {"p": "reject"}, {"p": "quarantine", "rua": ["mailto:d@example.org"]}])
            ),
            "decommission": {"empty_old": draw(st.booleans())},
            "confirm": {"released_by_old_provider": True, "copied_back": True, "decommission": True},
            "mailboxes": boxes,
            "aliases": {
                f"{alias}@example.org": [f"{people[0]}@example.org", "someone@elsewhere.example"]
                for alias in draw(st.lists(st.sampled_from(["info", "postmaster", "abuse"]), unique=True))
            },
            "catch_all": draw(st.sampled_from([None, f"{people[0]}@example.org"])),
        }
    )


def _silent_or(key: str, *values: object) -> st.SearchStrategy[dict[str, object]]:
    """A line of a section, or none."""
    return st.sampled_from([{}, *({key: value} for value in values)])


@st.composite
def _probing(draw: st.DrawFn, mailbox: str, *, signs: bool) -> dict[str, object]:
    """What ``tests.support.outside`` can answer."""
    signed = {
        "mailbox": mailbox,
        "password": "env:PROBE",
        "submission": "mail.new.example:587",
        "imap": "mail.new.example:993",
    }
    asked = draw(st.sampled_from([["mail.new.example"], [], ["mail.new.example", "mail.new.example:2525"]]))
    return {"smtp": asked, **({"signed": signed} if signs and draw(st.booleans()) else {})}


def moved(spec: Spec) -> Spec:
    """The same spec once the last user reads on the new server."""
    return spec.model_copy(update={"mailboxes": tuple(m.model_copy(update={"moved": True}) for m in spec.mailboxes)})


@st.composite
def worlds(draw: st.DrawFn, spec: Spec) -> tuple[Resource, ...]:
    """What stands before the move: what the spec says of the old server, and things it does not know."""
    return (*_old_server(draw, spec), *_new_server(draw, spec), *_zone(draw, spec))


def foreign(spec: Spec) -> tuple[Resource, ...]:
    """Things that no stage of any spec desires."""
    return (
        Mailbox(place=Place.OLD, name="other@example.net"),
        MailDomain(place=Place.NEW, name="example.net"),
        Mailbox(place=Place.NEW, name="other@example.net", display_name="Other"),
        Quota(place=Place.NEW, name="other@example.net", size=7),
        RRset.of("www.example.org", "A", 60, "192.0.2.80"),
        RRset.of("sub.example.org", "TXT", 60, "v=spf1 -all"),
        RRset.of("example.org", "NS", 86400, "ns1.example.net.", "ns2.example.net."),
    )


def _old_server(draw: st.DrawFn, spec: Spec) -> list[Resource]:
    found: list[Resource] = [MailDomain(place=Place.OLD, name=spec.domain)]
    found += [Mailbox(place=Place.OLD, name=m.address) for m in spec.with_old_mail]
    if spec.mail_copy:
        found += [ReturnedMail(place=Place.OLD, name=m.address) for m in spec.with_old_mail]  # none is elsewhere yet
    found += [Alias(place=Place.OLD, name=name, targets=frozenset(t)) for name, t in spec.aliases.items()]
    if spec.catch_all:
        found.append(CatchAll(place=Place.OLD, name=spec.domain, targets=frozenset({spec.catch_all})))
    return found


def _new_server(draw: st.DrawFn, spec: Spec) -> list[Resource]:
    found: list[Resource] = []
    if draw(st.booleans()):
        found.append(MailDomain(place=Place.NEW, name=spec.domain))
        for mailbox in draw(st.lists(st.sampled_from(spec.mailboxes), unique_by=lambda m: m.address)):
            found.append(
                Mailbox(place=Place.NEW, name=mailbox.address, display_name=draw(st.sampled_from(["", "As it was"])))
            )
            if draw(st.booleans()):
                found.append(SieveScript(place=Place.NEW, name=mailbox.address, script="mine", content=OTHER_RULE))
    return found


def _zone(draw: st.DrawFn, spec: Spec) -> list[Resource]:
    ttl = draw(st.sampled_from([60, 300, 3600, 86400]))
    texts = draw(st.lists(st.sampled_from(FOREIGN_TEXTS), unique=True))
    spf = draw(
        st.sampled_from(
            [
                None,
                "v=spf1 ip4:192.0.2.10 -all",
                "v=spf1 include:unknown.example a:mail.old.example ?all",
                "V=SPF1 mx ~all",
            ]
        )
    )
    texts += [spf] if spf else []
    found: list[Resource] = [RRset.of(spec.domain, "MX", ttl, *map(str, spec.old.mx))]
    if texts:
        found.append(RRset.of(spec.domain, "TXT", ttl, *texts))
    found += [RRset.of(f"{s}._domainkey.{spec.domain}", "TXT", 3600, "v=DKIM1; k=rsa; p=b2xk") for s in spec.old.dkim]
    found += [RRset.of(host, "A", ttl, *map(str, a.old)) for host, a in spec.hosts.items()]
    if draw(st.booleans()):
        policy = "v=DMARC1; p=none; rua=mailto:old@example.org"
        found.append(RRset.of(f"_dmarc.{spec.domain}", "TXT", 3600, policy))
    return found
