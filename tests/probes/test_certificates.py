import dataclasses
import socket
from datetime import UTC, datetime

import pytest

from reconciler.checks.certificates_fit import CHECK
from reconciler.model.outside import Outside, ShownCertificate, ShownCertificates
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from reconciler.probes.certificates import PROBE
from tests.lab.ports import own_port
from tests.probes.around import around
from tests.probes.secured import HOST, SOON, Secured
from tests.support.facts import facts
from tests.support.specs import spec

pytestmark = pytest.mark.daemon

_LATE = datetime(2049, 1, 1, tzinfo=UTC)


def asked(people: Secured, *services: object) -> ShownCertificates:
    move = spec(probe={"tls": list(services), "timeout": 5})
    found = PROBE.gather(move, around(base=people.folder))
    assert isinstance(found, ShownCertificates)
    return found


def shown(people: Secured, service: object) -> ShownCertificate:
    (found,) = asked(people, service).services
    return found


def judged(found: ShownCertificates):
    now = datetime.now(UTC)  # noqa: TID251 - certificates live in real time
    known = facts(Stage.CUTOVER, {}, now=now)
    return CHECK.judge(spec(), dataclasses.replace(known, outside=Outside((found,))))


def test_without_a_service_in_the_spec_nobody_is_asked():
    assert PROBE.gather(spec(), around()) is None
    assert PROBE.gather(spec(probe={"smtp": "127.0.0.1"}), around()) is None


def test_submission_and_imap_are_asked_by_starttls_and_by_implicit_tls_and_verified_by_name(people: Secured):
    found = asked(people, people.submission(), people.submission("implicit"), people.imap(), people.imap(implicit=True))
    assert {each.ends for each in found.services} == {_LATE}
    assert not any(each.trouble for each in found.services)
    assert {each.server.partition(":")[0] for each in found.services} == {HOST}
    assert judged(found) == Pass("4 certificates to trust, the first ends 2049-01-01 00:00 UTC")


def test_nobody_logs_in(people: Secured):
    asked(people, people.submission(), people.imap())
    assert "sasl_username" not in people.server.postfix.log()
    assert "Login: user" not in people.server.dovecot.log()


def test_one_that_ends_soon_is_told(people: Secured):
    found = asked(people, people.submission("soon"), people.imap())
    assert found.services[0].ends == SOON
    answer = judged(found)
    assert isinstance(answer, Warn)
    assert answer.why == f"the certificate of {HOST}:2466 ends {SOON:%Y-%m-%d %H:%M} UTC"


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("ended", "shows a certificate that mail programs refuse: certificate has expired"),
        (
            "another name",
            f"shows a certificate that mail programs refuse: hostname mismatch, certificate is not valid for '{HOST}'",
        ),
        ("self-signed", "shows a certificate that mail programs refuse: self-signed certificate"),
        ("no TLS", "does not offer STARTTLS, so that passwords would cross the network in the clear"),
    ],
)
def test_what_no_mail_program_would_trust_holds_the_cutover_back(people: Secured, port: str, why: str):
    found = asked(people, people.imap(), people.submission(port))
    assert found.services[1].trouble == why
    answer = judged(found)
    assert isinstance(answer, Fail)
    assert answer.why == f"{found.services[1].server} {why}"


def test_without_its_authority_a_certificate_is_not_trusted(people: Secured):
    assert "unable to get local issuer certificate" in shown(people, people.submission(ca_file=None)).trouble


def test_a_pinned_certificate_is_trusted_and_another_one_in_its_place_is_not(people: Secured):
    pinned = people.certificates["self"].fingerprint
    found = shown(people, people.submission("self-signed", fingerprint=pinned))
    assert (found.trouble, found.pinned, found.ends) == ("", True, _LATE)
    other = people.certificates["named"].fingerprint
    assert (
        "another one than the spec names, its fingerprint is"
        in shown(people, people.submission("self-signed", fingerprint=other)).trouble
    )


def test_a_pinned_certificate_that_has_ended_is_no_use_to_users(people: Secured):
    pinned = people.certificates["ended"].fingerprint
    answer = judged(asked(people, people.submission("ended", fingerprint=pinned)))
    assert isinstance(answer, Fail)
    assert answer.why == f"the certificate of {HOST}:2467 has ended 2021-01-01 00:00 UTC"


def test_a_file_without_certificates_is_told(people: Secured):
    (people.folder / "empty.pem").write_text("")
    trouble = shown(people, people.submission(ca_file="empty.pem")).trouble
    assert f"cannot be verified: {people.folder}/empty.pem, its ca_file, holds no certificates to trust" in trouble
    assert "No such file" in shown(people, people.submission(ca_file="gone.pem")).trouble


def test_a_server_that_is_down_and_one_that_says_nothing_are_told(people: Secured):
    down = people.imap(implicit=True) | {"port": own_port()}
    assert shown(people, down).trouble == "cannot be reached: connection refused"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        move = spec(probe={"tls": down | {"port": silent.getsockname()[1], "service": "imap"}, "timeout": 1})
        found = PROBE.gather(move, around(base=people.folder))
    assert isinstance(found, ShownCertificates)
    assert found.services[0].trouble == "does not answer within 1 seconds"
