import pytest

from reconciler.model.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail.example.org", "mail.example.org:25"),
        (" Mail.Example.Org:2525 ", "mail.example.org:2525"),
        ("192.0.2.1", "192.0.2.1:25"),
        ("192.0.2.1:53", "192.0.2.1:53"),
        ("2001:DB8::1", "[2001:db8::1]:25"),
        ("[2001:db8::1]", "[2001:db8::1]:25"),
        ("[2001:db8::1]:65535", "[2001:db8::1]:65535"),
        ("localhost:1", "localhost:1"),
    ],
)
def test_it_reads_what_people_write_and_shows_it_with_its_port(text, shown):
    endpoint = Endpoint.parse(text, 25)
    assert str(endpoint) == shown
    assert Endpoint.parse(shown, 1) == endpoint


@pytest.mark.parametrize(
    "text",
    ["", ":25", "mail.example.org:", "mail.example.org:0", "mail.example.org:65536", "mail example:25", "192.0.2.256",
     "2001:db8::1::2", "[mail.example.org]x", "[]:25", "user@mail.example.org", "smtp://mail.example.org", "a/b"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a|does not end in a port"):
        Endpoint.parse(text, 25)


def test_it_knows_addresses_from_names():
    assert Endpoint.parse("192.0.2.1", 25).is_address
    assert Endpoint.parse("2001:db8::1", 25).is_address
    assert not Endpoint.parse("mail.example.org", 25).is_address
