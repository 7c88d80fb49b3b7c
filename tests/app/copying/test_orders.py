from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.app.copying.asked import Asked
from reconciler.app.copying.orders import Jobs, arrivals_since
from reconciler.errors import ReconcilerError, SecretError
from reconciler.mailcopy.imap.login import MasterAuth, MasterUser, OAuth2, OwnPassword, Proxied, ProxyAuth
from reconciler.mailcopy.imap.server import Security
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.model.address import Place
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.model.sighting import History, Sighting
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.spec import Spec
from tests.support.clock import FakeClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANN = {"address": "ann@example.org", "old_login": "ann.old", "old_password": "env:ANN_OLD"}
BOB = {"address": "bob@example.org", "old_password": "env:BOB_OLD", "password": "env:BOB_NEW", "moved": True}
CLEO = {"address": "cleo@example.org", "password": "generate"}


class Repeating:
    """Secrets that show which reference was asked for."""

    def reveal(self, reference: str) -> Secret:
        return Secret(f"secret of {reference}")


@pytest.fixture
def ledger(tmp_path: Path):
    opened = SqlLedger(f"sqlite:///{tmp_path}/mail.db", FakeClock())
    yield opened
    opened.close()


def spec(old=None, new=None, **copy) -> Spec:
    return Spec.model_validate(
        {
            "domain": "example.org",
            "old": {"backend": "memory", "mx": "10 mx.old.example"},
            "new": {"backend": "memory", "mx": "10 mx.new.example"},
            "dns": {"backend": "memory"},
            "generated_passwords": "made.csv",
            "copy": {"old": {"host": "a.example", **(old or {})}, "new": {"host": "b.example", **(new or {})}, **copy},
            "mailboxes": [ANN, BOB, CLEO],
        }
    )


def jobs(asked, ledger, of=None):
    move = of or spec()
    assert move.mail_copy is not None
    made = Jobs(move, move.mail_copy, Path("/nowhere"), Repeating()).of(asked, date(2026, 3, 2), ledger)
    return {copy.key.account.partition("@")[0]: copy for copy in made}


def test_each_side_is_entered_with_its_own_password(ledger):
    made = jobs(Asked(), ledger)
    assert [*made] == ["ann", "bob", "cleo"]
    ends = [(end.login.user, end.login.password().reveal()) for end in (made["bob"].source, made["bob"].target)]
    assert ends == [("bob@example.org", "secret of env:BOB_OLD"), ("bob@example.org", "secret of env:BOB_NEW")]
    assert all(isinstance(copy.source.login, OwnPassword) for copy in made.values())


def test_a_password_that_was_kept_is_the_old_one(ledger):
    ann = jobs(Asked(), ledger)["ann"]
    assert (ann.source.login.user, ann.target.login.user) == ("ann.old", "ann@example.org")
    assert ann.target.login.password().reveal() == "secret of env:ANN_OLD"


def test_a_password_that_was_generated_is_looked_up(ledger):
    assert jobs(Asked(), ledger)["cleo"].target.login.password().reveal() == "secret of generate:cleo@example.org"


def test_a_missing_password_is_told_at_the_login_only(ledger):
    login = jobs(Asked(), ledger)["cleo"].source.login
    with pytest.raises(SecretError, match=r"cleo@example\.org on the old server is not known: give the mailbox an old"):
        login.password()


def test_the_logins_of_administrators(ledger):
    admin = {"master_user": "root", "password": "env:P"}
    made = jobs(Asked(), ledger, spec({"login": "master", "separator": "+", **admin}, {"login": "authzid", **admin}))
    source, target = made["ann"].source.login, made["ann"].target.login
    assert isinstance(source, MasterUser)
    assert (source.user, source.master, source.separator) == ("ann.old", "root", "+")
    assert isinstance(target, Proxied)
    assert (target.user, target.admin, target.password().reveal()) == ("ann@example.org", "root", "secret of env:P")


def test_administrators_whose_servers_have_commands_of_their_own(ledger):
    proxy, master = {"login": "proxyauth", "master_user": "root"}, {"login": "x-masterauth"}
    made = jobs(Asked(), ledger, spec({**proxy, "password": "env:P"}, {**master, "password": "env:M"}))
    source, target = made["ann"].source.login, made["ann"].target.login
    assert isinstance(source, ProxyAuth)
    assert (source.user, source.admin, source.password().reveal()) == ("ann.old", "root", "secret of env:P")
    assert isinstance(target, MasterAuth)
    assert (target.user, target.password().reveal()) == ("ann@example.org", "secret of env:M")
    assert source.is_admin
    assert target.is_admin


@pytest.mark.parametrize("back", [False, True])
def test_the_new_server_may_know_a_user_by_another_name_too(ledger, back):
    move = spec()
    ann = move.mailboxes[0].model_copy(update={"new_login": "ann.new"})
    made = jobs(Asked(back=back), ledger, move.model_copy(update={"mailboxes": (ann,)}))["ann"]
    ends = (made.source.login.user, made.target.login.user)
    assert ends == (("ann.new", "ann.old") if back else ("ann.old", "ann.new"))
    assert made.key.account == "ann@example.org"


@pytest.mark.parametrize("back", [False, True])
def test_files_lie_where_each_server_knows_the_user(ledger, back):
    files = {"old": {"maildir": "/old/%u"}, "new": {"maildir": "/new/%n"}}
    ann = {**ANN, "new_login": "ann.new@example.org"}
    move = Spec.model_validate({**spec().model_dump(by_alias=True), "copy": files, "mailboxes": [ann]})
    made = jobs(Asked(back=back), ledger, move)["ann"]
    ends = [str(made.source.root), str(made.target.root)]
    assert ends == ["/new/ann.new", "/old/ann.old@example.org"][:: 1 if back else -1]


def test_dates_and_approvals_are_the_specs(ledger):
    rules = jobs(Asked(), ledger)["ann"].rules
    assert (rules.date_from_header, rules.unstable_approved) == (False, False)
    move = spec(date="header")
    ann = Mailbox.model_validate({**ANN, "copy": {"approve": ["unstable"]}})
    rules = jobs(Asked(), ledger, move.model_copy(update={"mailboxes": (ann,)}))["ann"].rules
    assert (rules.date_from_header, rules.unstable_approved) == (True, True)


def test_a_token_is_asked_for_the_login_name_as_one_word(ledger):
    token = {"login": "xoauth2", "token": "command: token --user {login}"}
    made = jobs(Asked(), ledger, spec(token))["ann"].source.login
    assert isinstance(made, OAuth2)
    assert made.token().reveal() == "secret of command: token --user ann.old"
    strange = spec(token).model_copy(
        update={"mailboxes": (spec().mailboxes[0].model_copy(update={"old_login": "a b;c"}),)}
    )
    assert jobs(Asked(), ledger, strange)["ann"].source.login.token().reveal().endswith("--user 'a b;c'")


def test_a_service_account_gives_every_mailbox_a_token_of_its_own_name(ledger):
    account = {"login": "xoauth2", "service_account": {"google": "file:key.json"}}
    made = jobs(Asked(), ledger, spec(account))
    assert [copy.source.login.user for copy in made.values()] == ["ann.old", "bob@example.org", "cleo@example.org"]
    assert all(isinstance(copy.source.login, OAuth2) for copy in made.values())
    with pytest.raises(SecretError, match="no JSON key of a service account") as caught:
        made["ann"].source.login.token()
    assert "secret of" not in str(caught.value)


def test_a_message_goes_once_from_gmail_unless_the_spec_wants_each_label(ledger):
    assert not jobs(Asked(), ledger)["ann"].rules.every_label
    assert jobs(Asked(), ledger, spec(labels="each"))["ann"].rules.every_label


def test_flags_follow_until_the_user_has_moved(ledger):
    made = jobs(Asked(), ledger)
    assert (made["ann"].rules.follow_flags, made["bob"].rules.follow_flags) == (True, False)


def test_back_is_the_other_direction_with_the_folders_turned_round(ledger):
    copy = jobs(Asked(back=True, since=NOON), ledger, spec(folders={"Gesendet": "Sent"}, exclude=["Lists"]))["bob"]
    assert copy.key == ("bob@example.org", "new", "old")
    assert (copy.source.server.host, copy.target.server.host) == ("b.example", "a.example")
    assert (dict(copy.rules.folders.into), copy.rules.folders.exclude) == ({"Sent": "Gesendet"}, {"Lists"})
    assert (copy.rules.since, copy.rules.follow_flags) == (NOON, True)


def test_bounds_are_the_specs_or_those_that_the_provider_is_known_for(ledger):
    own = {"connections": 3, "octets_per_second": "5 MB", "daily_octets": "1 GB", "timeout": "30s", "tls": "starttls"}
    copy = jobs(Asked(), ledger, spec({"host": "imap.gmail.com"}, own))["ann"]
    assert copy.source.server.limits.octets_a_day == 2_500_000_000
    assert (copy.source.server.port, copy.source.server.security) == (993, Security.TLS)
    limits = copy.target.server.limits
    assert (limits.connections, limits.octets_a_second, limits.octets_a_day) == (3, 5_000_000, 1_000_000_000)
    assert (copy.target.server.port, copy.target.server.timeout) == (143, 30.0)


def test_what_the_ledger_knows_decides_who_is_biggest(ledger):
    key = jobs(Asked(), ledger)["ann"].key
    ledger.open_folder(key, FolderState(0, b"INBOX", 1, b"INBOX", 1, messages=70))
    ledger.open_folder(key, FolderState(0, b"Sent", 1, b"Sent", 1, messages=7))
    made = jobs(Asked(), ledger)
    assert (made["ann"].octets, made["bob"].octets) == (77, 0)


def test_only_the_mailboxes_that_are_asked_for(ledger):
    assert [*jobs(Asked(["Bob@EXAMPLE.org", "bob@example.org"]), ledger)] == ["bob"]
    with pytest.raises(ReconcilerError, match=r"did you mean 'bob@example\.org'"):
        jobs(Asked(["bbo@example.org"]), ledger)
    with pytest.raises(ReconcilerError, match="is no mail address"):
        jobs(Asked(["bob"]), ledger)


def seen(name: str, *values: tuple[datetime, frozenset[str]]) -> dict[str, History]:
    return {
        name: History.of(
            Sighting(server, name, RRset(place=Place.DNS, name=name, ttl=300, rdata=rdata), at)
            for server, (at, rdata) in zip(("ns1", "ns2"), values, strict=True)
        )
    }


OLD_MX, NEW_MX = frozenset({"10 mx.old.example."}), frozenset({"10 mx.new.example."})


def test_a_new_mailbox_has_no_mail_to_copy(ledger):
    new = spec().model_copy(
        update={"mailboxes": (*spec().mailboxes, Mailbox(address="new@example.org", old_mail=False))}
    )
    assert new.mail_copy
    jobs = Jobs(new, new.mail_copy, Path("/specs"), Repeating())
    assert "new@example.org" not in {job.key.account for job in jobs.of(Asked(), NOON.date(), ledger)}
    with pytest.raises(ReconcilerError, match=r"new@example.org has old_mail: false"):
        jobs.of(Asked(["new@example.org"]), NOON.date(), ledger)


def test_mail_came_to_the_new_server_a_day_before_the_first_name_server_was_seen_to_name_it():
    later = NOON + timedelta(hours=2)
    histories = seen("example.org. MX", (later, NEW_MX), (NOON, NEW_MX))
    assert arrivals_since(spec(), histories) == NOON - timedelta(days=1)
    assert arrivals_since(spec(), seen("example.org. MX", (NOON, OLD_MX), (later, NEW_MX))) == later - timedelta(days=1)


def test_without_a_cutover_in_the_journal_nothing_is_too_early():
    assert arrivals_since(spec(), {}) is None
    assert arrivals_since(spec(), seen("example.org. MX", (NOON, OLD_MX), (NOON, OLD_MX))) is None


def test_where_the_host_name_stays_its_addresses_tell():
    hosts = {"mx.old.example": {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}}
    move = spec().model_dump(by_alias=True) | {"hosts": hosts}
    move["new"] = {**move["new"], "mx": move["old"]["mx"]}
    same = Spec.model_validate(move)
    addresses = frozenset({"198.51.100.1"})
    assert arrivals_since(same, seen("mx.old.example. A", (NOON, addresses), (NOON, addresses))) == NOON - timedelta(1)
    assert arrivals_since(same, seen("example.org. MX", (NOON, OLD_MX), (NOON, OLD_MX))) is None
