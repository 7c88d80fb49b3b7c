import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.errors import ConnectionCut, LoginRefused, SecretError
from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.imap.login import OAuth2
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.imap.service_account import GoogleKey, MicrosoftApp, Tokens
from reconciler.mailcopy.imap.session import open_session
from reconciler.mailcopy.job import Means, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.model.secret import Secret
from tests.fakes.certificates import authority
from tests.fakes.token_server import TokenServer
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill
from tests.lab.oauth import oauth_dovecot
from tests.support.clock import FakeClock

ANN, BOB = "ann@example.org", "bob@example.org"
SECRET = "s3cret-of-the-application"


class Scene:
    """A provider, a service account of each kind, and a clock for all of them."""

    def __init__(self, folder: Path, clock: FakeClock | RealClock) -> None:
        self.clock = clock
        self.provider = TokenServer(clock, authority().sign("localhost").context(folder), users={ANN, BOB})
        self.key = self.provider.service_account("mover")
        self.provider.applications["example.org", "app-1"] = SECRET

    def google(self, **changed: object) -> Tokens:
        key = Secret(json.dumps({**self.key, **changed}))
        return Tokens(GoogleKey(lambda: key), self.clock)

    def microsoft(self, secret: str = SECRET, client: str = "app-1") -> Tokens:
        scope = "https://outlook.office365.com/.default"
        return Tokens(MicrosoftApp("example.org", client, lambda: Secret(secret), self.provider.url, scope), self.clock)

    def opens(self, token: Secret) -> str | None:
        """Whose mailbox; None where it is that of everybody."""
        given = self.provider.opens(token.reveal())
        assert given is not None
        return given.user

    def wait(self, minutes: int) -> None:
        assert isinstance(self.clock, FakeClock)
        self.clock.advance(timedelta(minutes=minutes))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    (tmp_path / "authorities.pem").write_bytes(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    made = Scene(tmp_path, FakeClock())
    yield made
    made.provider.stop()


def test_a_service_account_of_google_gets_a_token_for_each_user(scene: Scene) -> None:
    tokens = scene.google()
    of_ann, of_bob = tokens.token(ANN), tokens.token(BOB)
    assert scene.opens(of_ann) == ANN
    assert scene.opens(of_bob) == BOB


def test_an_application_of_microsoft_gets_one_token_for_all_users(scene: Scene) -> None:
    tokens = scene.microsoft()
    assert tokens.token(ANN) is tokens.token(BOB)
    assert scene.opens(tokens.token(ANN)) is None
    assert scene.provider.asked == ["/example.org/oauth2/v2.0/token"]


def test_a_token_is_asked_for_again_shortly_before_it_ends(scene: Scene) -> None:
    tokens = scene.google()
    first = tokens.token(ANN)
    scene.wait(minutes=54)
    assert tokens.token(ANN) is first
    scene.wait(minutes=2)
    second = tokens.token(ANN)
    assert second is not first
    assert scene.opens(second) == ANN


def test_many_threads_ask_once(scene: Scene) -> None:
    tokens, got = scene.google(), []
    threads = [threading.Thread(target=lambda: got.append(tokens.token(ANN))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(scene.provider.asked)) == (8, 1)


def test_a_token_that_was_refused_is_replaced_unless_it_is_new(scene: Scene) -> None:
    tokens = scene.google()
    first = tokens.token(ANN)
    assert not tokens.renew(ANN, first)
    scene.wait(minutes=10)
    assert tokens.renew(ANN, first)
    assert tokens.token(ANN) is not first
    assert tokens.renew(ANN, first), "another thread has got a new one meanwhile"


def test_a_user_that_the_provider_does_not_know_is_refused_in_its_words(scene: Scene) -> None:
    with pytest.raises(LoginRefused, match=r"cleo@example\.org.* says: invalid_grant: Invalid email or User ID"):
        scene.google().token("cleo@example.org")


def test_a_missing_delegation_is_told_with_what_to_do(scene: Scene) -> None:
    scene.key = scene.provider.service_account("other", delegated=False)
    with pytest.raises(LoginRefused, match=r"unauthorized_client.*domain-wide delegation"):
        scene.google().token(ANN)


def test_a_statement_signed_with_another_key_is_refused(scene: Scene) -> None:
    other = scene.provider.service_account("other")
    with pytest.raises(LoginRefused, match="Invalid JWT Signature"):
        scene.google(private_key=other["private_key"]).token(ANN)


def test_a_wrong_secret_is_refused_and_shown_nowhere(scene: Scene) -> None:
    with pytest.raises(LoginRefused, match=r"AADSTS7000215.*valid secret") as caught:
        scene.microsoft("wr0ng").token(ANN)
    assert "wr0ng" not in repr(caught.value)
    with pytest.raises(LoginRefused, match="AADSTS700016"):
        scene.microsoft(client="app-2").token(ANN)


def test_a_busy_provider_is_no_lost_login(scene: Scene) -> None:
    scene.provider.busy = [503, 429]
    tokens = scene.google()
    for _ in range(2):
        with pytest.raises(ConnectionCut) as caught:
            tokens.token(ANN)
        assert caught.value.words == "try again"
    assert scene.opens(tokens.token(ANN)) == ANN


def test_a_provider_that_cannot_be_reached_is_no_lost_login(scene: Scene) -> None:
    tokens = scene.google()
    scene.provider.stop()
    with pytest.raises(ConnectionCut, match="cannot be reached"):
        tokens.token(ANN)


def test_a_certificate_that_cannot_be_verified_gets_no_statement(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ConnectionCut, match="cannot be trusted"):
        scene.google().token(ANN)
    assert scene.provider.asked == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"type": "authorized_user"}, "its type is another"),
        ({"client_email": ""}, "it has no client_email"),
        ({"private_key": "hunter2"}, "no RSA key in PEM"),
        ({"token_uri": "http://localhost/token"}, "no https URL"),
    ],
)
def test_what_is_no_key_of_a_service_account_is_told_and_not_shown(
    scene: Scene, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(SecretError, match=said) as caught:
        scene.google(**changed).token(ANN)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert scene.provider.asked == []


def test_a_key_of_another_kind_signs_nothing(scene: Scene) -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(SecretError, match="no RSA key"):
        scene.google(private_key=curve.decode()).token(ANN)
    with pytest.raises(SecretError, match="no JSON key of a service account"):
        Tokens(GoogleKey(lambda: Secret("not json")), scene.clock).token(ANN)


@pytest.fixture(scope="module")
def oauth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Dovecot]]:
    """A real Dovecot that asks the provider whose a token is."""
    folder = tmp_path_factory.mktemp("oauth")
    scene = Scene(folder, RealClock())
    with oauth_dovecot(scene.provider, ANN) as server:
        yield scene, server
    scene.provider.stop()


@pytest.fixture
def opened(
    oauth: tuple[Scene, Dovecot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Scene, Dovecot]]:
    (tmp_path / "authorities.pem").write_bytes(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    oauth[0].provider.asked.clear()
    yield oauth
    oauth[0].provider.clock = oauth[0].clock


def as_program(server: Dovecot, tokens: Tokens, user: str) -> Endpoint:
    login = OAuth2(user, lambda: tokens.token(user), lambda refused: tokens.renew(user, refused))
    return Endpoint(Server("127.0.0.1", server.port, Security.LOOPBACK, timeout=20), login)


@pytest.mark.daemon
def test_a_mailbox_is_copied_with_a_token_from_a_service_account(
    opened: tuple[Scene, Dovecot], new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    scene, old = opened
    fill(old, ANN, 7, 30, ((), ("Work",)))
    copy = copying(as_program(old, scene.google(), ANN), endpoint(new, user))
    report = copy_mailbox(copy, Means(ledger, RealClock()))
    assert (report.state, report.tally.copied + report.tally.refused) == (State.DONE, 30), report.words
    assert new.seen(user) == expected(old.seen(ANN))


@pytest.mark.daemon
def test_a_token_that_was_taken_back_is_replaced_within_the_login(opened: tuple[Scene, Dovecot]) -> None:
    scene, old = opened
    clock = FakeClock(scene.clock.now())
    tokens = scene.google()
    tokens.clock = clock
    end = as_program(old, tokens, ANN)
    open_session(end.server, end.login).wire.leave()
    scene.provider.given.clear()
    with pytest.raises(LoginRefused, match=ANN):
        open_session(end.server, end.login)
    clock.advance(timedelta(minutes=6))
    scene.provider.clock = clock
    open_session(end.server, end.login).wire.leave()
    assert len(scene.provider.asked) == 2


@pytest.mark.daemon
def test_a_token_for_one_user_does_not_open_anothers_mailbox(opened: tuple[Scene, Dovecot], ledger: SqlLedger) -> None:
    scene, old = opened
    tokens = scene.google()
    end = as_program(old, tokens, ANN)
    bob = OAuth2(ANN, lambda: tokens.token(BOB))
    report = copy_mailbox(copying(Endpoint(end.server, bob), end), Means(ledger, RealClock()))
    assert (report.state, report.accounts) == (State.AUTH_LOST, ())
    assert tokens.token(BOB).reveal() not in report.words
