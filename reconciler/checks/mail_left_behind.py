"""Whoever goes back behind the cutover knows which mail stays on the new server."""

from datetime import datetime

from reconciler.analysis.cutover_records import turned, turning
from reconciler.analysis.effects import nothing
from reconciler.extend import Check, Facts
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Pass, Warn
from reconciler.resources.server.mailbox import Mailbox
from reconciler.spec.spec import Spec
from reconciler.wording.lists import counted, moment


def judge(spec: Spec, facts: Facts) -> Answer:
    """Asked of the stage that turns the mail back to the old server."""
    back = [turn for turn in turning(spec, facts.changes, Place.OLD) if turned(turn, facts.expected)]
    if not back:
        return Pass("no mail is turned back to the old server here")
    if spec.mail_copy is not None:
        return Pass("what has arrived on the new server is copied back as soon as no cache sends mail there any more")
    at = f"@{spec.domain}"
    mailboxes = sum(
        1 for place, kind, name in facts.observed if place is Place.NEW and kind == Mailbox.kind and name.endswith(at)
    )
    firsts = [
        sighting.first_seen
        for turn in back
        if (history := facts.histories.get(turn.name))
        for sighting in history.sightings
        if sighting.value is not None and sighting.value.rdata == turn.new
    ]
    return Warn(
        f"mail that has arrived on the new server {_since(firsts)}, in up to "
        f"{counted(mailboxes, 'mailbox', 'mailboxes')}, stays there; on the old server its readers miss it",
        "copy it back to the old server, and keep the new one until no cache sends mail there",
    )


def _since(firsts: list[datetime]) -> str:
    return f"since {moment(min(firsts))}" if firsts else "since the cutover"


CHECK = Check(
    title="No mail is left behind on the new server",
    stages=frozenset({Stage.PREPARE, Stage.OVERLAP}),
    gates=nothing,
    judge=judge,
    source="RFC 5321, section 5.1",
)
