"""The fake Mail-in-a-Box against what the real one was recorded to answer, version 75."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.rdatatype
import dns.zone
import httpx
import pytest

from reconciler.model.secret import Secret
from reconciler.products.mailinabox import totp
from tests.fakes.mailinabox import FakeBox
from tests.fakes.mailinabox_state import Broken
from tests.support.clock import FakeClock

RECORDED = Path(__file__).parent / "recorded" / "mailinabox"
TOTP = "XSWGE3CGRYK7XTKSGAJJ4TX7JFMGXMXM"
CODE = "889876"  # the one that was valid when the answers were recorded
SYSTEM_KEY = "deA6EFCD6716dfCd03e0CcbcE46B7b1d"


def alice(box: FakeBox) -> None:
    box.state.add_user({"email": "alice@example.com", "password": "Alice-Pass-1"})


def alice_and_bob(box: FakeBox) -> None:
    alice(box)
    box.state.add_user({"email": "bob@example.com", "password": "Bobby-Pass-1"})


def before_the_failure(box: FakeBox) -> None:
    alice_and_bob(box)
    box.state.add_alias({"address": "@example.com", "forwards_to": "alice@example.com"})
    box.state.add_alias({"address": "bob@example.com", "forwards_to": "bob@example.com, bob@old.example.org"})
    box.state.zones.custom = [
        ("s1._domainkey.example.com", "CNAME", "s1.dkim.old.example.org."),
        ("www.example.com", "CNAME", "site.example.org."),
        ("mta-sts.example.com", "A", "198.51.100.81"),
        ("autoconfig.example.com", "CNAME", "autoconfig.example.org."),
        ("example.com", "A", "local"),
        ("sub.example.com", "TXT", "v=spf1 ip4:198.51.100.1 -all"),
    ]
    box.state.write_zones()
    box.state.dovecot = False


def after_the_failure(box: FakeBox) -> None:
    before_the_failure(box)
    with pytest.raises(Broken):
        box.state.add_user({"email": "dan@sub2.example.com", "password": "Danny-Pass-1"})
    box.state.write_zones()
    box.state.dovecot = True


def after_dns(box: FakeBox) -> None:
    alice(box)
    records = json.loads(next(r for r in recorded("dns2") if r["label"] == "list")["response"]["body"])
    box.state.zones.custom = [(r["qname"], r["rtype"], r["value"]) for r in records]
    box.state.write_zones()


def nobody(box: FakeBox) -> None:
    """Only the administrator."""


STARTS: dict[str, Callable[[FakeBox], None]] = {
    "auth": nobody,
    "users": nobody,
    "aliases": alice_and_bob,
    "dns": nobody,
    "dns2": after_dns,
    "mfa": alice,
    "fail": before_the_failure,
    "readd": after_the_failure,
    "bad": alice,
}
CUT_SHORT = "the recording has only the beginning"


def recorded(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / f"{name}.json").read_text())
    return found


@pytest.fixture
def box() -> Iterator[FakeBox]:
    fake = FakeBox(FakeClock())
    yield fake
    fake.stop()


@pytest.mark.parametrize("name", STARTS)
def test_it_answers_as_the_real_one_was_recorded_to(box: FakeBox, name: str) -> None:
    STARTS[name](box)
    said = {CODE: totp.code(Secret(TOTP), box.state.clock.now()), SYSTEM_KEY: box.state.system_key}
    with httpx.Client(base_url=box.url, trust_env=False, headers={"Accept": "*/*"}) as client:
        for number, entry in enumerate(recorded(name)):
            request, response = entry["request"], entry["response"]
            where = f"{name} {number}: {entry['label']}"
            answer = send(client, request, said)
            assert answer.status_code == response["status"], f"{where}: {answer.text}"
            assert kind(answer.headers["Content-Type"]) == kind(response["headers"]["Content-Type"]), where
            for header in ("X-Reason", "Allow", "WWW-Authenticate"):
                assert answer.headers.get(header) == response["headers"].get(header), where
            theirs = shape(request["path"], response["body"])
            assert theirs in (CUT_SHORT, shape(request["path"], answer.text)), where
            learn(said, answer.text, response["body"])


def send(client: httpx.Client, request: dict[str, Any], said: dict[str, str]) -> httpx.Response:
    """With the keys and codes that this fake has given out in the place of the recorded ones."""
    auth = request["auth"] and tuple(said.get(word, word) for word in request["auth"])
    headers = {name: said.get(value, value) for name, value in (request["headers"] or {}).items()}
    form = request["form"] and {name: said.get(value, value) for name, value in request["form"].items()}
    raw = None if request["raw"] is None else request["raw"].encode()
    return client.request(request["method"], request["path"], auth=auth, headers=headers, data=form, content=raw)


def learn(said: dict[str, str], ours: str, theirs: str) -> None:
    pattern = r'"api_key": "([0-9a-f]{64})"'
    mine, real = re.search(pattern, ours), re.search(pattern, theirs)
    if mine and real:
        said[real[1]] = mine[1]


def kind(content_type: str) -> str:
    return content_type.partition(";")[0]


def shape(path: str, body: str) -> object:
    """What a body says, without what differs from box to box: keys, sizes, the order of lists, texts for people."""
    if path.startswith("/dns/zonefile/") and "$ORIGIN" in body:
        return zone(body, path.rpartition("/")[2])
    try:
        return plain(json.loads(body))
    except ValueError:
        pass
    if body.startswith("<!doctype"):
        return re.sub(r"<p>.*", "", body, flags=re.DOTALL)
    if body.startswith(("[", "{")):
        return CUT_SHORT
    return sorted(body.splitlines())


def plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items() if key not in IGNORED}
    if isinstance(content, list):
        return sorted((plain(each) for each in content if not of_one_box(each)), key=repr)
    return content


def of_one_box(record: Any) -> bool:
    """DNS records that say more of the recorded box than of the product: its keys and certificates."""
    value = record.get("value", "") if isinstance(record, dict) else ""
    return value.startswith(("v=DKIM1; h=", "v=STSv1;")) or bool(value and record.get("rtype") == "TLSA")


IGNORED = {"api_key", "box_size", "box_quota", "percent", "sort-order", "explanation"}


def zone(text: str, name: str) -> object:
    """Its records, DKIM keys and policies' ids left out; of a broken one, its lines."""
    try:
        parsed = dns.zone.from_text(text, origin=f"{name}.", relativize=True)
    except Exception:  # noqa: BLE001 - whatever a name server would stop at
        return "broken"
    return sorted(
        f"{owner} {rdata.to_text()}"
        for owner, _, rdata in parsed.iterate_rdatas()
        if rdata.rdtype not in {dns.rdatatype.SOA, dns.rdatatype.TLSA}
        and not rdata.to_text().startswith(('"v=DKIM1; h=', '"v=STSv1;'))
    )
