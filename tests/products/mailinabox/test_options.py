import pytest
from pydantic import ValidationError

from reconciler.products.mailinabox.options import BoxOptions

WHOLE = {"host": "Box.Example.net", "email": "admin@box.example.net", "password": "env:ADMIN"}


def test_a_host_is_enough_to_find_the_api() -> None:
    site = BoxOptions.model_validate({**WHOLE, "address": "192.0.2.10"}).site
    assert (site.url, site.address, site.fingerprint) == ("https://box.example.net/admin", "192.0.2.10", None)
    assert site.connects_to == "https://192.0.2.10:443/admin"


def test_an_address_of_the_new_internet_is_bracketed() -> None:
    site = BoxOptions.model_validate({**WHOLE, "address": "2001:db8::10"}).site
    assert site.connects_to == "https://[2001:db8::10]:443/admin"


@pytest.mark.parametrize(
    "text",
    ["ab" * 32, "AB:" * 31 + "AB", "SHA256 Fingerprint=" + "AB:" * 31 + "AB", "sha256:" + "ab" * 32],
)
def test_a_fingerprint_is_taken_as_programs_show_it(text: str) -> None:
    assert BoxOptions.model_validate({**WHOLE, "fingerprint": text}).fingerprint == "ab" * 32


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": None}, "give host"),
        ({"url": "https://box.example.net/admin"}, "give host"),
        ({"host": None, "url": "http://box.example.net/admin"}, "in the clear"),
        ({"host": None, "url": "https://admin:pass-word@box.example.net/admin"}, "which logs show"),
        ({"host": None, "url": "https://box.example.net/admin?x=1"}, "not the URL of an API"),
        ({"host": None, "url": "box.example.net"}, "not the URL of an API"),
        ({"host": None, "url": "https://[box/admin"}, "cannot be read"),
        ({"host": None, "url": "https://box.example.net:99999/admin"}, "cannot be read"),
        ({"password": None}, "password or api_key"),
        ({"api_key": "env:KEY"}, "password or api_key"),
        ({"email": None}, "whose password"),
        ({"password": None, "api_key": "env:KEY", "totp": "env:TOTP"}, "totp goes with a password"),
        ({"password": "the-pass-word"}, "a secret must be a reference"),
        ({"fingerprint": "ab" * 20}, "SHA-256 fingerprint"),
    ],
)
def test_what_cannot_work_is_said(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BoxOptions.model_validate({k: v for k, v in {**WHOLE, **given}.items() if v is not None})
    assert said in str(caught.value)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:10222", "http://[::1]:10222/", "http://localhost:10222"])
def test_on_the_box_itself_no_tls_is_needed(url: str) -> None:
    assert BoxOptions.model_validate({**WHOLE, "host": None, "url": url}).site.url == url.rstrip("/")
