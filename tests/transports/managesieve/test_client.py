"""What a ManageSieve server may say, and what it must not get away with; options that cannot be meant."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import managesieve
import pytest
from pydantic import ValidationError

from reconciler.transports.managesieve.client import Client, quoted
from reconciler.transports.managesieve.options import ManageSieve

GREETING = b'"IMPLEMENTATION" "Timsieved"\r\n"SASL" "PLAIN"\r\n"SIEVE" "fileinto"\r\n"VERSION" "1.0"\r\nOK\r\n'
Script = list[tuple[bytes, bytes]]


@pytest.fixture
def server() -> Iterator[Callable[..., int]]:
    """Says the greeting, then answers each line that contains the first words with the second; then hangs up."""
    threads: list[threading.Thread] = []

    def serve(greeting: bytes, script: Script = []) -> int:  # noqa: B006 - only read
        listening = socket.create_server(("127.0.0.1", 0))

        def talk() -> None:
            with listening, listening.accept()[0] as plug, plug.makefile("rb") as reader:
                plug.sendall(greeting)
                for expected, answer in script:
                    while (line := reader.readline()) and expected not in line:
                        continue
                    plug.sendall(answer)

        threads.append(threading.Thread(target=talk))
        threads[-1].start()
        port: int = listening.getsockname()[1]
        return port

    yield serve
    for thread in threads:
        thread.join(5)


def entered(port: int) -> Client:
    client = Client("127.0.0.1", port, 2)
    client.state = "AUTH"
    return client


@pytest.mark.parametrize("greeting", [b'BYE "Too many connections"\r\n', b'NO (TRYLATER) "busy"\r\n'])
def test_a_greeting_that_refuses_is_quoted(server, greeting: bytes) -> None:
    with pytest.raises(managesieve.MANAGESIEVE.abort, match=r"greets with a refusal: (?:Too many|busy)"):
        Client("127.0.0.1", server(greeting), 2)


@pytest.mark.parametrize("greeting", [b"", b'"IMPLEMENTATION" "x', b'"IMPLEMENTATION" {900+}\r\nshort', b"x" * 70_000])
def test_a_server_that_hangs_up_or_never_ends_a_line_is_left(server, greeting: bytes) -> None:
    with pytest.raises(managesieve.MANAGESIEVE.abort, match=r"closed|does not end"):
        Client("127.0.0.1", server(greeting), 2)


def test_a_listing_may_have_literals_quotes_and_any_case(server) -> None:
    answer = b'{5+}\r\na "b" ACTIVE\r\n"c \\"d\\" \\\\"\r\n"plain"\r\nOK "done"\r\n'.replace(b'a "b"', b'a"b"c')
    client = entered(server(GREETING, [(b"LISTSCRIPTS", answer)]))
    assert client.listscripts() == ("OK", [('a"b"c', True), ('c "d" \\', False), ("plain", False)])
    client.hang_up()


def test_a_refusal_keeps_its_code_and_its_words_even_as_a_literal(server) -> None:
    said = b"line 1: error\r\nline 2: \xc3\xbc"
    answers = [
        (b"CHECKSCRIPT", b"NO {%d}\r\n%s\r\n" % (len(said), said)),
        (b"HAVESPACE", b'NO (QUOTA/MAXSIZE) "too \\"big\\""\r\n'),
    ]
    client = entered(server(GREETING, answers))
    assert not client.check("x")
    assert client.response_text == said.decode()
    assert client.havespace("n", 5) == "NO"
    assert (client.response_code, client.response_text) == ("QUOTA/MAXSIZE", 'too "big"')
    client.hang_up()


def test_a_script_of_an_absurd_length_is_not_waited_for(server) -> None:
    client = entered(server(GREETING, [(b"GETSCRIPT", b"{99999999999}\r\n")]))
    with pytest.raises(managesieve.MANAGESIEVE.abort, match="announces 99999999999 octets"):
        client.getscript("x")
    client.hang_up()


def test_a_server_of_before_version_1_is_not_asked_to_check(server) -> None:
    client = entered(server(GREETING.replace(b'"VERSION" "1.0"\r\n', b"")))
    assert client.check("anything")
    client.hang_up()


def test_a_server_that_offers_no_login_yet_is_understood(server) -> None:
    client = Client("127.0.0.1", server(b'"IMPLEMENTATION" "x"\r\n"SASL"\r\n"STARTTLS"\r\nOK\r\n'), 2)
    assert (client.loginmechs, client.supports_tls) == ([], 1)
    client.hang_up()


def test_what_follows_a_starttls_in_the_clear_is_not_believed(server) -> None:
    """It may have been put there by somebody in between (as in CVE-2011-0411)."""
    greeting = b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK\r\n'
    injected = b'OK\r\n"IMPLEMENTATION" "evil"\r\n"SASL" "PLAIN"\r\nOK\r\n'
    client = Client("127.0.0.1", server(greeting, [(b"STARTTLS", injected)]), 2)
    with pytest.raises(ssl.SSLError):
        client.encrypt(ssl.create_default_context(), "localhost")
    assert client.loginmechs == []
    client.hang_up()


def test_a_name_is_quoted_as_the_standard_has_it() -> None:
    assert quoted('a "b" \\') == 'a \\"b\\" \\\\'


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"master_user": "m"}, {"master_password": "env:X"}, {"password": "the-Passw0rd"},
        {"password": "file:%x"}, {"password": "env:X", "master_user": "m", "master_password": "env:X"},
        {"password": "env:X", "starttls": False}, {"password": "env:X", "parallel": 0},
        {"password": "env:X", "fingerprint": "aa:bb"}, {"password": "env:X", "user": "%h"},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused_without_repeating_secrets(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        ManageSieve.model_validate({"host": "mail.example.org", **wrong})
    assert "the-Passw0rd" not in str(caught.value)
