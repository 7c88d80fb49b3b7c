import pytest
from pydantic import ValidationError

from reconciler.spec.probing import PORTS, Probing, SignedMessage, TlsService


def service(**keys: object) -> TlsService:
    return TlsService.model_validate({"host": "mail.example.org", **keys})


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_a_service_and_its_usual_port_follow_from_one_another(name: str, port: int):
    assert service(port=port) == service(service=name) == TlsService.model_validate(f"mail.example.org:{port}")
    assert service(port=port).service == name


def test_at_another_port_the_service_has_to_be_named():
    assert service(port=10143, service="imap").port == 10143
    with pytest.raises(ValidationError, match="which service is it\\? port 10143, at which many things listen"):
        service(port=10143)


def test_a_host_alone_is_no_service():
    with pytest.raises(ValidationError, match="names no port: expected HOST:PORT"):
        TlsService.model_validate("mail.example.org")
    with pytest.raises(ValidationError, match="which service is it\\? no port: write 'service:'"):
        service()


def test_an_unknown_service_is_refused():
    with pytest.raises(ValidationError, match="should match pattern"):
        service(port=110, service="pop3")


def test_one_service_may_stand_without_a_list():
    by_text = Probing.model_validate({"tls": "mail.example.org:993"})
    assert by_text == Probing.model_validate({"tls": [{"host": "mail.example.org", "service": "imaps"}]})
    assert by_text == Probing.model_validate({"tls": {"host": "mail.example.org", "service": "imaps"}})


def test_a_name_and_the_address_that_it_will_have_are_two_things():
    found = service(port=993, address="198.51.100.7")
    assert (str(found), str(found.address)) == ("mail.example.org:993", "198.51.100.7")


def test_a_message_goes_by_submission_and_is_read_by_imap_and_not_the_other_way_round():
    ways = {"submission": "mail.example.org:465", "imap": "mail.example.org:143"}
    message = {"mailbox": "ann@example.org", "password": "env:PASSWORD"}
    found = SignedMessage.model_validate(message | ways)
    assert (found.submission.begins_with_tls, found.imap.begins_with_tls) == (True, False)
    for key, other in (("submission", "mail.example.org:25"), ("imap", "mail.example.org:587")):
        with pytest.raises(ValidationError, match="here stands"):
            SignedMessage.model_validate(message | ways | {key: other})


def test_its_password_is_a_reference():
    ways = {"submission": "mail.example.org:465", "imap": "mail.example.org:143"}
    with pytest.raises(ValidationError, match="must be a reference"):
        SignedMessage.model_validate({"mailbox": "ann@example.org", "password": "geheim", **ways})
