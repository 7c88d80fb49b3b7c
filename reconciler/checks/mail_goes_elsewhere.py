"""No account goes while mail may come for it: by what is served now, or by what caches may still hold.

However it came to stand there. What the new server loses in a rollback, and what the old one loses at decommission, is
judged alike: mail for an address that is gone goes back to its sender. What named the new server before the first look
is not waited for: the accounts that a rollback can remove were made after it.
"""

from datetime import datetime

from reconciler.analysis.caches import in_seconds, latest
from reconciler.analysis.effects import takes_address_away
from reconciler.analysis.mail_routes import Known, Route, before_the_first_look, routes
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Wait
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, moment

_SERVERS = {Place.OLD: "the old server", Place.NEW: "the new server"}


def judge(spec: Spec, facts: Facts) -> Answer:
    """For each server that stops to take mail for an address, an alias, the rest of the domain, or all of it."""
    answers: list[Pass | Wait] = []
    for place in Place.OLD, Place.NEW:
        gone = [c for c in facts.changes if takes_address_away(c) and c.address.place is place]
        if gone:
            answer = _of_server(spec, facts, place, len(gone))
            if isinstance(answer, Fail):
                return answer
            answers.append(answer)
    return latest(answers, "no server stops to take mail for an address here")


def _of_server(spec: Spec, facts: Facts, place: Place, gone: int) -> Pass | Wait | Fail:
    known = Known(facts.observed, facts.histories, facts.now, spec.waits.margin)
    found = list(routes(spec, place, known))
    left = {route.rrset for route in routes(spec, place, Known(facts.expected, {}, facts.now, spec.waits.margin))}
    for route in found:
        if route.stands and route.rrset in left:
            return _standing(route, place, gone)
    for route in routes(spec, place, Known(facts.end, {}, facts.now, spec.waits.margin)):
        if route.stands:
            return _put_back(route, place, gone)
    longest = [route for route in found if route.until is None] or sorted(found, key=_end)[-1:]
    answers: list[Pass | Wait] = [_wait(route, place) for route in longest]
    if place is Place.OLD:
        answers.append(_unseen(before_the_first_look(spec, known), facts.now))
    return latest(answers, f"nothing sends mail for the domain to {_SERVERS[place]}")


def _unseen(until: datetime | None, now: datetime) -> Pass | Wait:
    """What the old server's records were before the first look, nobody has noted."""
    if until is None:
        return Wait(None, "nobody has noted yet since when the name servers send mail elsewhere: apply does")
    if until > now:
        return Wait(until, f"what was served before it was first looked at may be cached until {moment(until)}")
    return Pass("nothing sends mail for the domain to the old server")


def _end(route: Route) -> datetime:
    assert route.until is not None
    return route.until


def _standing(route: Route, place: Place, gone: int) -> Fail:
    return Fail(
        f"{route.rrset} names {route.server}, {_SERVERS[place]}, now: mail for what is removed there "
        f"({counted(gone, 'step')}) would go back to its senders",
        f"take it out of {route.rrset}, wait until caches have forgotten it ({in_seconds(route.ttl)}), and try again",
    )


def _put_back(route: Route, place: Place, gone: int) -> Fail:
    """A rollback can end where it was: whoever had turned the MX before the first run had no account there."""
    return Fail(
        f"at the end of this plan {route.rrset} names {route.server}, {_SERVERS[place]}, again, as before the first "
        f"run: mail for what is removed there ({counted(gone, 'step')}) would go back to its senders",
        f"leave it there, or turn {route.rrset} elsewhere by hand when this plan is done, wait until "
        f"caches have forgotten it ({in_seconds(route.ttl)}), and try again",
    )


def _wait(route: Route, place: Place) -> Wait:
    if route.stands:
        lasts = f"; then it takes {in_seconds(route.ttl)} until caches have forgotten it"
        return Wait(None, f"first {route.rrset} is changed{lasts}")
    if route.until is None:
        return Wait(
            None,
            f"{route.seen_at} was last seen to send mail to {_SERVERS[place]} by {route.rrset}; apply looks again",
        )
    return Wait(
        route.until,
        f"caches may send mail to {_SERVERS[place]} by an earlier {route.rrset} of {route.seen_at} until "
        f"{moment(route.until)}",
    )


CHECK = Check(
    title="No mail may come for what is removed",
    stages=frozenset(Stage),
    gates=takes_address_away,
    judge=judge,
    source="RFC 5321, section 5.1; RFC 1034, section 3.6; RFC 2181, section 5.2",
    only_to_gate=True,
)
