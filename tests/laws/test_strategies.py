"""The drawn specs desire every kind that there is: of one that none of them desires no law would say anything."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from reconciler.extend import ServerKind
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec
from tests.laws.strategies import specs
from tests.support.move import KINDS

search = settings(
    max_examples=500,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
SERVERS = {kind.type.kind: kind for kind in KINDS.servers}
RECORDS = {f"{kind.rdtype} of {kind.source}": kind for kind in KINDS.records}


def drawn(wanted: Callable[[Spec], object]) -> Spec:
    """One that is so; fails with NoSuchExample where there is none among many."""
    return find(specs(), lambda spec: bool(wanted(spec)), settings=search)


@pytest.mark.parametrize("kind", [*SERVERS.values(), *RECORDS.values()], ids=[*SERVERS, *RECORDS])
def test_every_kind_is_desired_by_some_drawn_spec(kind) -> None:
    drawn(lambda spec: any(list(kind.desired(spec, stage)) for stage in Stage))


def _changes(kind: ServerKind, stage: Stage, spec: Spec) -> bool:
    return list(kind.desired(spec, Stage(stage - 1))) != list(kind.desired(spec, stage))


@pytest.mark.parametrize("kind", SERVERS.values(), ids=SERVERS)
def test_every_stage_at_which_a_kind_says_that_it_changes_changes_it_for_some_drawn_spec(kind) -> None:
    for stage in kind.changes_at & set(list(Stage)[1:]):
        if kind.changes_at != frozenset(Stage):  # those that say so of all have not been asked
            drawn(partial(_changes, kind, stage))


@pytest.mark.parametrize(
    "section",
    [
        lambda spec: spec.mail_copy,
        lambda spec: spec.mail_copy is None,
        lambda spec: spec.probe and spec.probe.smtp,
        lambda spec: spec.probe and spec.probe.signed,
        lambda spec: spec.probe is None,
        lambda spec: spec.waits.margin,
        lambda spec: spec.ttl.during > 3600,
        lambda spec: spec.ttl.during < 300,
        lambda spec: len(spec.with_old_mail) < len(spec.mailboxes),
    ],
)
def test_every_section_that_memory_can_carry_is_drawn(section) -> None:
    drawn(section)
