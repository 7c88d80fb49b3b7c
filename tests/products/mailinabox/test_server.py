"""Mail on a Mail-in-a-Box, against the fake one."""

from collections.abc import Iterator

import pytest

from reconciler.engine.trail import Trail, Written
from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.products.mailinabox.mailboxes import in_bytes, written
from reconciler.products.mailinabox.server import BACKEND, keeps, refuses
from reconciler.resources.server.alias import Alias, merge
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from tests.fakes.box_scene import DOMAIN, BoxScene
from tests.fakes.mailinabox_zones import KEY
from tests.support.move import KINDS

ANN = f"ann@{DOMAIN}"
GIB = 1024**3


@pytest.fixture
def scene() -> Iterator[BoxScene]:
    made = BoxScene(BACKEND, Place.NEW)
    yield made
    made.close()


def mailbox(name: str = ANN, password: str | None = "env:NEW") -> Mailbox:
    return Mailbox(place=Place.NEW, name=name, password=password)


def quota(size: int) -> Quota:
    return Quota(place=Place.NEW, name=ANN, size=size)


def alias(name: str, *targets: str) -> Alias:
    return Alias(place=Place.NEW, name=name, targets=frozenset(targets))


def catch_all(*targets: str) -> CatchAll:
    return CatchAll(place=Place.NEW, name=DOMAIN, targets=frozenset(targets))


def laid_over(wanted: Alias | CatchAll, standing: Resource) -> Resource | None:
    return KINDS.laid(wanted, standing)


# Mailboxes


def test_a_mailbox_gets_the_password_that_its_reference_leads_to(scene: BoxScene) -> None:
    scene.make(mailbox())
    user = scene.fake.state.users[ANN]
    assert (user.password, user.privileges, user.quota) == ("New-Pass-1", [], "0")
    assert scene.read("mailbox") == {ANN: Mailbox(place=Place.NEW, name=ANN)}


def test_mailboxes_of_other_domains_and_left_over_mail_are_not_shown(scene: BoxScene) -> None:
    for domain in (DOMAIN, "example.com", f"sub.{DOMAIN}"):
        scene.user("zoe", domain)
    scene.user("gone")
    scene.fake.state.remove_user({"email": f"gone@{DOMAIN}"})
    assert scene.read("mailbox").keys() == {f"zoe@{DOMAIN}"}


def test_removing_a_mailbox_keeps_its_mail(scene: BoxScene) -> None:
    scene.make(mailbox())
    scene.change(mailbox(password=None), None)
    assert scene.read("mailbox") == {}
    assert ANN in scene.fake.state.left


def test_a_hash_is_refused_in_the_plan_and_at_the_write(scene: BoxScene) -> None:
    kept = Change(None, mailbox(password=f"keep:{ANN}"))
    why = refuses(kept) or ""
    assert "takes passwords, not hashes" in why
    assert "password: generate" in why
    assert "env:NAME" in why
    with pytest.raises(WriteError, match="takes passwords, not hashes"):
        scene.opened.stores["mailbox"].write([kept])
    scene.secrets.known["env:NEW"] = "{SHA512-CRYPT}$6$salt$abcdefgh"
    with pytest.raises(WriteError, match="leads to is a hash") as caught:
        scene.make(mailbox())
    assert "$6$" not in str(caught.value)
    assert scene.fake.asked("POST /mail") == 0


@pytest.mark.parametrize("secret", ["short", " " * 12])
def test_a_password_that_the_box_would_refuse_is_not_sent(scene: BoxScene, secret: str) -> None:
    scene.secrets.known["env:NEW"] = secret
    with pytest.raises(WriteError, match="less than 8 characters"):
        scene.make(mailbox())
    assert scene.fake.asked("POST /mail") == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (f"o'neil@{DOMAIN}", "cannot be one: choose another"),
        (f"ann+shop@{DOMAIN}", "cannot be one: choose another"),
        (f"postmaster@{DOMAIN}", "alias to an administrator"),
        ("ann@example.test", "takes no mail for example.test"),
    ],
)
def test_addresses_that_no_user_can_have_are_refused_in_the_plan(scene: BoxScene, name: str, why: str) -> None:
    change = Change(None, mailbox(name))
    assert why in (refuses(change) or "")
    with pytest.raises(WriteError, match=why):
        scene.opened.stores["mailbox"].write([change])
    assert scene.fake.asked("POST /mail") == 0


def test_the_administrator_that_logs_in_is_never_removed(scene: BoxScene) -> None:
    opened = scene.open(domain=scene.fake.state.primary)
    mine = Mailbox(place=Place.NEW, name=scene.fake.admin)
    with pytest.raises(WriteError, match="administrator that this logs in as"):
        opened.stores["mailbox"].write([Change(mine, None)])
    assert scene.fake.admin in scene.fake.state.users


def test_users_have_no_display_name(scene: BoxScene) -> None:
    wanted = Mailbox(place=Place.NEW, name=ANN, display_name="Ann", password="env:NEW")
    assert keeps(wanted, None) == mailbox()
    assert refuses(Change(mailbox(), wanted)) is not None


# Half done


def test_what_was_done_before_dovecot_failed_is_found_done_and_the_dns_made_up_for(scene: BoxScene) -> None:
    scene.user("zoe")
    scene.fake.state.zones.written.pop(DOMAIN)
    scene.fake.fault("POST /mail/users/add", "dovecot down")
    scene.make(mailbox())
    assert ANN in scene.read("mailbox")
    assert scene.fake.asked("POST /mail/users/add") == 1
    assert scene.fake.asked("POST /dns/update") == 1
    assert DOMAIN in scene.fake.state.zones.written


def test_a_box_whose_dns_cannot_be_made_up_for_is_told_with_what_stands(scene: BoxScene) -> None:
    scene.fake.fault("POST /mail/users/add", "break after")
    scene.fake.fault("POST /dns/update", "break")
    with pytest.raises(WriteError, match=r"is changed, but .*dns_update.py --update"):
        scene.make(mailbox())
    assert ANN in scene.read("mailbox")


def test_what_was_not_done_is_told_as_not_done(scene: BoxScene) -> None:
    scene.fake.fault("POST /mail/users/add", "break")
    with pytest.raises(WriteError, match=r"was not written, nothing was changed: .*internal error"):
        scene.make(mailbox())
    assert scene.read("mailbox") == {}
    assert scene.fake.asked("POST /mail/users/add") == 1


@pytest.mark.parametrize("fault", ["drop after", "half"])
def test_a_lost_answer_is_looked_for_and_the_call_never_repeated(scene: BoxScene, fault: str) -> None:
    scene.user("ann")
    for resource, call in [
        (alias(f"info@{DOMAIN}", ANN), "POST /mail/aliases/add"),
        (catch_all(ANN), "POST /mail/aliases/add"),
        (mailbox(f"bob@{DOMAIN}"), "POST /mail/users/add"),
        (quota(GIB), "POST /mail/users/quota"),
    ]:
        before = scene.fake.asked(call)
        scene.fake.fault(call, fault)
        scene.make(resource)
        assert scene.fake.asked(call) == before + 1
        assert resource.name in scene.read(resource.kind)


def test_a_box_that_breaks_and_is_then_gone_leaves_it_unknown(scene: BoxScene) -> None:
    scene.fake.fault("POST /mail/users/add", "break after")
    scene.fake.fault("GET /mail/users", "busy 9999")
    with pytest.raises(WriteError, match="whether it was changed is not known"):
        scene.make(mailbox())


def test_half_a_list_of_users_changes_nothing(scene: BoxScene) -> None:
    scene.opened  # noqa: B018 - opened before the answers are spoilt
    original = scene.fake._users
    scene.fake._users = lambda: [{"domain": DOMAIN}]  # type: ignore[method-assign]  # a spoilt answer
    with pytest.raises(ObserveError, match=r"a list with something missing .*Nothing was changed"):
        scene.read("mailbox")
    scene.fake._users = original  # type: ignore[method-assign]  # as it was


# Quotas


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("5G", 5 * GIB), ("100M", 100 * 1024**2), ("1536M", 1536 * 1024**2), ("123", 123), ("lots", None)],
)
def test_quotas_are_read_as_dovecot_counts_them(text: str, size: int | None) -> None:
    assert in_bytes(text) == size


@pytest.mark.parametrize("size", [0, 1, 1023, 1024**2, 100 * 1024**2, 5 * GIB, 5 * GIB + 1, GIB // 2])
def test_every_size_is_written_without_loss(size: int) -> None:
    assert in_bytes(written(size)) == size


def test_a_quota_is_set_changed_and_taken_away(scene: BoxScene) -> None:
    scene.user("ann")
    assert scene.read("quota") == {}
    scene.make(quota(5 * GIB))
    assert scene.fake.state.users[ANN].quota == "5G"
    scene.change(quota(5 * GIB), quota(GIB + 1))
    assert scene.fake.state.users[ANN].quota == str(GIB + 1)
    scene.change(quota(GIB + 1), None)
    assert scene.fake.state.users[ANN].quota == "0"


def test_no_limit_is_the_absence_of_one() -> None:
    assert keeps(quota(0), None) is None
    assert keeps(quota(1), None) == quota(1)


def test_a_quota_of_nobody_is_refused_without_a_call(scene: BoxScene) -> None:
    with pytest.raises(WriteError, match="make the mailbox first"):
        scene.make(quota(GIB))
    assert scene.fake.asked("POST /mail") == 0


# Aliases


def test_an_alias_keeps_who_may_send_as_it(scene: BoxScene) -> None:
    for user in ("ann", "zoe"):
        scene.user(user)
    scene.alias(f"info@{DOMAIN}", ANN, permitted_senders=f"zoe@{DOMAIN},{ANN}")
    stands = scene.read("alias")[f"info@{DOMAIN}"]
    scene.change(stands, merge(alias(f"info@{DOMAIN}", ANN, "x@elsewhere.example"), stands))
    assert scene.fake.state.aliases[f"info@{DOMAIN}"] == (f"{ANN},x@elsewhere.example", f"zoe@{DOMAIN},{ANN}")


@pytest.mark.parametrize("name", [f"info@{DOMAIN}", f"@{DOMAIN}"])
def test_one_that_only_sends_is_shown_delivers_and_only_sends_again(scene: BoxScene, name: str) -> None:
    scene.user("ann")
    scene.alias(name, "", permitted_senders=ANN)
    before = dict(scene.fake.state.aliases)
    wish: Alias | CatchAll = catch_all(ANN) if name[0] == "@" else alias(name, ANN)
    stood = scene.read(wish.kind)[wish.name]
    assert (stood.targets, stood.senders) == (set(), {ANN})
    scene.change(stood, laid_over(wish, stood))
    assert scene.fake.state.aliases[name] == (ANN, ANN)
    delivers = scene.read(wish.kind)[wish.name]
    scene.change(delivers, laid_over(stood, delivers))
    assert scene.fake.state.aliases == before


def test_an_alias_of_ours_that_somebody_may_send_as_by_now_stays_without_our_targets(scene: BoxScene) -> None:
    scene.user("ann")
    made = alias(f"info@{DOMAIN}", ANN)
    scene.make(made)
    scene.alias(f"info@{DOMAIN}", ANN, permitted_senders=ANN)
    stands = scene.read("alias")[f"info@{DOMAIN}"]
    trail = Trail((Written(Stage.PREPARE, Change(None, made)),), stands)
    assert trail.is_ours(KINDS)
    ((_, back),) = trail.steps(KINDS)
    scene.change(back.before, back.after)
    assert scene.fake.state.aliases[f"info@{DOMAIN}"] == ("", ANN)
    assert Trail(trail.writes, scene.read("alias")[f"info@{DOMAIN}"]).is_back(KINDS)


def test_who_may_send_is_read_and_sent_along_in_our_normal_form(scene: BoxScene) -> None:
    domain = "xn--bcher-kva.example"
    scene.user("zoe", domain)
    scene.alias(f"info@{DOMAIN}", ANN, permitted_senders=f"zoe@{domain}")
    stands = scene.read("alias")[f"info@{DOMAIN}"]
    assert stands.senders == {f"zoe@{domain}"}
    scene.change(stands, merge(alias(f"info@{DOMAIN}", "x@elsewhere.example"), stands))
    assert scene.fake.state.aliases[f"info@{DOMAIN}"] == ("x@elsewhere.example", f"zoe@{domain}")


def test_targets_are_read_in_our_normal_form(scene: BoxScene) -> None:
    scene.alias(f"info@{DOMAIN}", "x@xn--bcher-kva.example,Zoe@Elsewhere.example")
    found = scene.read("alias")[f"info@{DOMAIN}"]
    assert found.targets == {"x@xn--bcher-kva.example", "zoe@elsewhere.example"}


def test_the_aliases_that_the_box_makes_are_shown_and_left_alone(scene: BoxScene) -> None:
    scene.user("ann")
    auto = scene.read("alias")[f"postmaster@{DOMAIN}"]
    assert auto == alias(f"postmaster@{DOMAIN}", f"administrator@{scene.fake.state.primary}")
    ours = Change(auto, alias(f"postmaster@{DOMAIN}", ANN))
    assert "Take postmaster out of `aliases`" in (refuses(ours) or "")
    for change in (ours, Change(auto, None)):
        with pytest.raises(WriteError, match="the box makes"):
            scene.opened.stores["alias"].write([change])
    assert scene.fake.asked("POST /mail") == 0


def test_other_reserved_addresses_are_refused_in_the_words_of_the_box(scene: BoxScene) -> None:
    scene.user("ann")
    with pytest.raises(WriteError, match="can only have administrators of this system as destinations"):
        scene.make(alias(f"webmaster@{DOMAIN}", ANN))
    scene.make(alias(f"webmaster@{DOMAIN}", scene.fake.admin))
    assert scene.read("alias")[f"webmaster@{DOMAIN}"].targets == {scene.fake.admin}


def test_the_catch_all_is_no_alias(scene: BoxScene) -> None:
    scene.user("ann")
    scene.make(catch_all(ANN))
    assert scene.fake.state.aliases[f"@{DOMAIN}"] == (ANN, None)
    assert scene.read("catch_all") == {DOMAIN: catch_all(ANN)}
    assert all("@" in name[1:] for name in scene.read("alias"))


def test_an_alias_that_somebody_else_has_changed_is_not_overwritten(scene: BoxScene) -> None:
    scene.alias(f"info@{DOMAIN}", "x@elsewhere.example")
    with pytest.raises(StalePlan):
        scene.change(alias(f"info@{DOMAIN}", ANN), alias(f"info@{DOMAIN}", ANN, "y@elsewhere.example"))
    assert scene.fake.state.aliases[f"info@{DOMAIN}"] == ("x@elsewhere.example", None)


# What it has by itself


def test_the_domain_needs_no_making_on_the_new_server(scene: BoxScene) -> None:
    assert scene.read("domain") == {DOMAIN: MailDomain(place=Place.NEW, name=DOMAIN)}
    assert "domain" in scene.opened.by_hand
    with pytest.raises(WriteError, match="exactly as long as"):
        scene.change(scene.read("domain")[DOMAIN], None)


def test_on_the_old_server_the_domain_is_there_with_its_addresses(scene: BoxScene) -> None:
    old = scene.open(Place.OLD)
    assert list(old.stores["domain"].read()) == []
    scene.user("ann")
    assert list(old.stores["domain"].read()) == [MailDomain(place=Place.OLD, name=DOMAIN)]


def test_the_dkim_key_is_known_before_the_domain_is(scene: BoxScene) -> None:
    name = f"mail._domainkey.{DOMAIN}"
    assert scene.read("dkim_key") == {name: DkimKey(place=Place.NEW, name=name, public=KEY)}
    assert "dkim_key" in scene.opened.by_hand


def test_a_custom_record_in_the_place_of_the_key_is_not_taken_for_it(scene: BoxScene) -> None:
    scene.user("ann")
    scene.fake.state.zones.custom.append((f"mail._domainkey.{DOMAIN}", "TXT", "v=DKIM1; k=rsa; p=T1RIRVI="))
    assert [key.public for key in scene.read("dkim_key").values()] == [KEY]


def test_a_key_is_not_written(scene: BoxScene) -> None:
    with pytest.raises(WriteError, match=r"write `dkim: \[mail\]`"):
        scene.make(DkimKey(place=Place.NEW, name=f"s1._domainkey.{DOMAIN}", source="generate", bits=2048))


def test_sieve_scripts_are_by_hand(scene: BoxScene) -> None:
    assert "sieve" not in scene.opened.stores
