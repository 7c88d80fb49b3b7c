"""The certificates that users' mail programs will be shown, before the users come.

A program that does not trust the new server tells its user so at the worst moment, or teaches him to click it away.
"""

import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from reconciler.extend import Probe, Surroundings
from reconciler.model.outside import ShownCertificate, ShownCertificates
from reconciler.model.stage import Stage
from reconciler.spec.probing import Probing, TlsService
from reconciler.spec.spec import Spec
from reconciler.transports.mail.services import imap, smtp
from reconciler.transports.mail.trouble import Ended


def gather(spec: Spec, surroundings: Surroundings) -> ShownCertificates | None:
    """Ask every service that the spec names, side by side; nobody logs in."""
    if spec.probe is None or not spec.probe.tls:
        return None
    asking = partial(_shown, spec.probe, surroundings.base)
    with ThreadPoolExecutor(max_workers=len(spec.probe.tls)) as pool:
        return ShownCertificates(tuple(pool.map(asking, spec.probe.tls)))


def _shown(probing: Probing, base: Path, service: TlsService) -> ShownCertificate:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - slow to load, seldom asked for

    try:
        octets = _presented(probing, base, service)
    except Ended as reason:
        return ShownCertificate(str(service), trouble=str(reason))
    ends = load_der_x509_certificate(octets).not_valid_after_utc
    return ShownCertificate(str(service), ends, pinned=service.fingerprint is not None)


def _presented(probing: Probing, base: Path, service: TlsService) -> bytes:
    """The certificate in DER; it was verified.

    Raises:
        Ended: it was not, or there is none.

    """
    if service.speaks_imap:
        with imap(service, base, probing.timeout) as client:
            return _of(client.socket())
    with smtp(service, base, probing.timeout, probing.helo) as client:
        return _of(client.sock)


def _of(plug: object) -> bytes:
    assert isinstance(plug, ssl.SSLSocket)
    return plug.getpeercert(binary_form=True) or b""


PROBE = Probe(
    title="The certificates that mail programs will be shown",
    stages=frozenset({Stage.CUTOVER}),
    gather=gather,
    source="RFC 8314, sections 3 and 5.2; RFC 9525, section 6",
)
