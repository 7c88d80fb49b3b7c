from datetime import date

import pytest
from pydantic import ValidationError

from reconciler.model.stage import Stage
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.policies import Dmarc
from reconciler.spec.servers import DkimKey, Exchange
from reconciler.spec.spec import Spec
from tests.support.specs import spec


def test_an_mx_is_written_as_text_or_mapping():
    text, mapping = (
        Exchange.model_validate("10 Mail.Example.org."),
        Exchange(preference=10, exchange="mail.example.org"),
    )
    assert text == mapping
    assert str(text) == "10 mail.example.org."


@pytest.mark.parametrize(
    "text", ["mail.example.org", "ten mail.example.org", "10", "70000 a.org", "-1 a.org", "10 192.0.2.1"]
)
def test_what_is_no_mx_is_refused(text: str):
    with pytest.raises(ValidationError):
        Exchange.model_validate(text)


def test_a_bare_selector_is_a_key_that_the_server_makes():
    assert DkimKey.model_validate("S1") == DkimKey(selector="s1", key=None, bits=2048)


@pytest.mark.parametrize("tag", ["pct", "rf", "ri"])
def test_tags_that_dmarc_no_longer_has_are_refused_with_the_reason(tag: str):
    with pytest.raises(ValidationError, match=f"{tag} is no DMARC tag any more"):
        Dmarc.model_validate({"p": "reject", tag: 50})


def test_reports_go_to_mailto_addresses():
    assert Dmarc(p="none", rua=("mailto:d@example.org",)).rua == ("mailto:d@example.org",)
    for uri in ("d@example.org", "mailto:a@b.org,mailto:c@d.org", "mailto:a@b.org!10m", "https://example.org"):
        with pytest.raises(ValidationError, match="is not a report address"):
            Dmarc(p="none", rua=(uri,))


def test_a_user_has_moved_from_the_day_that_the_spec_names():
    mailbox = Mailbox(address="a@example.org", moved=date(2026, 12, 1))
    assert [mailbox.has_moved(date(2026, 11, 30)), mailbox.has_moved(date(2026, 12, 1))] == [False, True]


def test_a_spec_on_a_day_has_no_dates_left():
    dated = spec(
        mailboxes=[
            {"address": "a@example.org", "moved": "2026-12-01"},
            {"address": "b@example.org", "moved": "2026-12-24"},
            {"address": "c@example.org", "moved": True},
        ]
    )
    assert [m.moved for m in dated.on(date(2026, 12, 2)).mailboxes] == [True, False, True]


def test_a_display_name_of_digits_is_text_and_control_characters_are_refused():
    assert Mailbox.model_validate({"address": "a@b.org", "name": 2024}).name == "2024"
    with pytest.raises(ValidationError, match="control characters"):
        Mailbox(address="a@b.org", name="a\nb")


def test_an_error_of_a_model_never_shows_its_input():
    with pytest.raises(ValidationError) as caught:
        Mailbox.model_validate({"address": "a@b.org", "password": "hunter2", "passwd": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_spec_is_the_same_after_json():
    whole = spec(
        stage="harden",
        hosts={"mail.example.org": {"old": ["192.0.2.1"], "new": ["2001:db8::1"]}},
        dmarc={"p": "reject"},
        waits={"decommission": "2w"},
        aliases={"info@example.org": "ann@example.org"},
        done_by_hand=["new/alias/info@example.org"],
    )
    assert Spec.model_validate_json(whole.model_dump_json()) == whole
    assert whole.target is Stage.HARDEN
    assert whole.owner == "example.org."


def test_a_step_done_by_hand_is_named_by_its_address():
    with pytest.raises(ValidationError, match="is not the address of a step"):
        spec(done_by_hand=["info@example.org"])


def test_nobody_is_asked_from_outside_unless_the_spec_says_whom():
    assert spec().probe is None
    probe = spec(probe={"smtp": "Mail.New.Example", "resolver": "127.0.0.1:5353", "timeout": "5s"}).probe
    assert probe
    assert (probe.smtp, probe.resolver) == (("mail.new.example:25",), "127.0.0.1:5353")
    assert (probe.helo, probe.timeout) == (None, 5)


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({"smtp": ["mail new:25"]}, "is not a"),
        ({"resolver": "ns.example.org"}, "expected its IP address"),
        ({"timeout": 0}, "greater than or equal to 1"),
        ({"imap": "mail.new.example"}, "Extra inputs"),
    ],
)
def test_whom_to_ask_is_written_well(probe, said):
    with pytest.raises(ValidationError, match=said):
        spec(probe=probe)
