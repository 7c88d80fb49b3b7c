"""Users' mail programs will trust the new server: its certificates are for the name that users are given, and last.

No mail is lost by a bad one, but nobody can read or write any, and everybody asks at once.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from reconciler.analysis.effects import redirects
from reconciler.extend import Check, Facts
from reconciler.model.outside import ShownCertificates
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, moment, sentences

_SOON: Final = timedelta(days=14)  # what renews itself does so 30 days before the end: it has failed for half of them


def judge(_spec: Spec, facts: Facts) -> Answer:
    """Each service of ``probe.tls``; the worst of them decides."""
    if facts.back:
        return Pass("mail goes back to the old server")
    seen = facts.outside.get(ShownCertificates)
    if seen is None:
        return Pass("not asked: probe.tls in the spec names no service")
    if troubled := [*_troubled(seen), *_over(facts, seen)]:
        return Fail(
            sentences(*troubled),
            "install a certificate for the name that users are given, before they come (for a name that still leads to "
            "the old server: by a DNS challenge, or copied from there), and plan again",
        )
    if soon := [*_soon(facts, seen)]:
        return Warn(sentences(*soon), "see why it is not renewed by itself, and renew it")
    first = min(each.ends for each in seen.services if each.ends)
    return Pass(f"{counted(len(seen.services), 'certificate')} to trust, the first ends {moment(first)}")


def _troubled(seen: ShownCertificates) -> Iterator[str]:
    return (f"{each.server} {each.trouble}" for each in seen.services if each.trouble)


def _over(facts: Facts, seen: ShownCertificates) -> Iterator[str]:
    """One that the spec names is taken without a look at its end."""
    for each in seen.services:
        if each.ends and each.ends <= facts.now:
            yield f"the certificate of {each.server} has ended {moment(each.ends)}"


def _soon(facts: Facts, seen: ShownCertificates) -> Iterator[str]:
    for each in seen.services:
        if each.ends and each.ends - facts.now < _SOON:
            yield f"the certificate of {each.server} ends {moment(each.ends)}"


CHECK = Check(
    title="Users' mail programs will trust the new server",
    stages=frozenset({Stage.CUTOVER}),
    gates=redirects,
    judge=judge,
    source="RFC 8314, section 3; RFC 5280, section 4.1.2.5",
)
