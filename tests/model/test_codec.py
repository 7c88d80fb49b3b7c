import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict

from reconciler.errors import PlanUnreadable
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.codec import (
    decode_plan,
    decode_resource,
    digest_of,
    encode_plan,
    encode_resource,
    plan_digest,
)
from reconciler.model.plan import Finding, Intent, Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.secret import Secret
from reconciler.model.stage import Stage
from reconciler.model.verdict import RUN, Fail, Pass, Status, Verdict, Wait, Warn


class Door(Resource):
    kind: ClassVar[str] = "door"
    colour: str = ""
    width: int | None = None
    keys: frozenset[str] = frozenset()
    painted: tuple[datetime, ...] = ()
    holes: frozenset[tuple[int, str]] = frozenset()


TYPES: dict[str, type[Resource]] = {"door": Door, "rrset": RRset}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=8))]),
)


def doors(names: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Door]:
    return st.builds(
        Door,
        place=st.sampled_from(Place),
        name=names,
        colour=texts,
        width=st.none() | st.integers(-(2**62), 2**62),
        keys=st.frozensets(texts, max_size=4),
        painted=st.lists(moments, max_size=2).map(tuple),
        holes=st.frozensets(st.tuples(st.integers(0, 9), texts), max_size=4),
    )


rrsets = st.builds(
    lambda ttl, strings: RRset.of("example.org", "TXT", ttl, *strings),
    st.integers(0, 2**31 - 1),
    st.frozensets(st.text("abc =;:+-~.", max_size=20), min_size=1, max_size=3),
) | st.builds(
    lambda ttl, hosts: RRset.of("example.org", "MX", ttl, *(f"10 {h}.example.org." for h in hosts)),
    st.integers(0, 2**31 - 1),
    st.frozensets(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=3),
)
resources = doors() | rrsets


@st.composite
def changes(draw: st.DrawFn) -> Change:
    one = draw(resources)
    if isinstance(one, RRset):
        other: Resource = one.model_copy(update={"ttl": 60})
    else:
        other = draw(doors(st.just(one.name))).model_copy(update={"place": one.place})
    return draw(st.sampled_from([Change(one, other), Change(None, one), Change(one, None)]))


verdicts = st.builds(Verdict, st.sampled_from(Status), texts, st.none() | moments)
steps = st.builds(
    Step,
    st.integers(1, 99999),
    st.sampled_from(Stage),
    changes(),
    st.lists(st.integers(1, 9), max_size=3).map(tuple),
    verdicts,
    texts,
)
answers = (
    st.builds(Pass, texts)
    | st.builds(Warn, texts, texts)
    | st.builds(Wait, st.none() | moments, texts)
    | st.builds(Fail, texts, texts)
)
findings = st.builds(Finding, texts, texts, st.sampled_from(Stage), answers)
plans = st.builds(
    Plan,
    domain=texts,
    stage=st.sampled_from(Stage),
    made_at=moments,
    spec_digest=texts,
    steps=st.lists(steps, max_size=3).map(tuple),
    findings=st.lists(findings, max_size=3).map(tuple),
    intent=st.sampled_from(Intent),
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MX_BEFORE = RRset.of("example.org", "MX", 300, "10 old.example.net.")
MX_AFTER = RRset.of("example.org", "MX", 300, "10 new.example.net.")
PLAN = Plan(
    domain="example.org",
    stage=Stage.CUTOVER,
    made_at=NOON,
    spec_digest="5bec",
    steps=(
        Step(1, Stage.PREPARE, Change(None, Door(place=Place.NEW, name="front", keys=frozenset("cab")))),
        Step(
            2,
            Stage.CUTOVER,
            Change(MX_BEFORE, MX_AFTER),
            (1,),
            Verdict(Status.WAIT, "caches", NOON + timedelta(hours=1)),
        ),
    ),
    findings=(Finding("ttl_expired", "Caches are clear", Stage.CUTOVER, Wait(NOON + timedelta(hours=1), "86400 s")),),
)


def through_json(data: object) -> Any:
    return json.loads(json.dumps(data))


def signed(**changed: Any) -> dict[str, Any]:
    """The plan with other content and a digest that fits it."""
    data = {**through_json(encode_plan(PLAN)), **changed}
    return {**data, "digest": digest_of(data)}


@given(resources)
def test_a_resource_comes_back_from_json_as_it_was(resource: Resource) -> None:
    assert decode_resource(through_json(encode_resource(resource)), TYPES) == resource


@given(plans)
def test_a_plan_comes_back_from_json_as_it_was(plan: Plan) -> None:
    assert decode_plan(through_json(encode_plan(plan)), TYPES) == plan


@given(plans)
def test_a_plan_keeps_its_digest_over_a_round_trip(plan: Plan) -> None:
    assert plan_digest(decode_plan(through_json(encode_plan(plan)), TYPES)) == plan_digest(plan)


def test_sets_are_written_in_one_order_however_they_were_filled() -> None:
    keys = [f"key{n}" for n in range(50)]
    forward = Door(place=Place.NEW, name="front", keys=frozenset(keys))
    backward = Door(place=Place.NEW, name="front", keys=frozenset(reversed(keys)))
    assert encode_resource(forward)["keys"] == encode_resource(backward)["keys"] == sorted(keys)


def test_a_resource_is_written_flat_with_its_kind_first() -> None:
    assert list(encode_resource(MX_AFTER).items()) == [
        ("kind", "rrset"),
        ("place", "dns"),
        ("name", "example.org. MX"),
        ("ttl", 300),
        ("rdata", ["10 new.example.net."]),
    ]


def test_times_are_written_in_utc() -> None:
    nepal = timezone(timedelta(hours=5, minutes=45))
    door = Door(place=Place.NEW, name="front", painted=(datetime(2026, 3, 2, 12, 0, tzinfo=nepal),))
    assert encode_resource(door)["painted"] == ["2026-03-02T06:15:00Z"]


def test_a_time_without_a_zone_is_refused() -> None:
    door = Door(place=Place.NEW, name="front", painted=(datetime(2026, 3, 2, 12, 0),))  # noqa: DTZ001 - on purpose
    with pytest.raises(ValueError, match="no time zone"):
        encode_resource(door)


def test_a_secret_is_never_written_down() -> None:
    class Safe(Resource):
        model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
        kind: ClassVar[str] = "safe"
        combination: Secret

    with pytest.raises(TypeError, match=r"combination holds a Secret, which is never written down") as caught:
        encode_resource(Safe(place=Place.NEW, name="s", combination=Secret("open sesame")))
    assert "sesame" not in str(caught.value)


def test_a_saved_plan_says_what_its_readers_need() -> None:
    data = encode_plan(PLAN)
    assert data["format_version"] == "2.0"
    assert data["tool_version"]
    assert data["made_at"] == "2026-03-02T12:00:00Z"
    assert data["steps"][1]["address"] == "dns/rrset/example.org. MX"
    assert data["steps"][1]["verb"] == "~"
    assert data["steps"][1]["after_steps"] == [1]
    assert data["steps"][1]["verdict"] == {"status": "wait", "why": "caches", "until": "2026-03-02T13:00:00Z"}
    assert data["findings"][0]["answer"] == {"answer": "wait", "until": "2026-03-02T13:00:00Z", "why": "86400 s"}


def test_an_edited_plan_is_refused() -> None:
    data = through_json(encode_plan(PLAN))
    data["steps"][1]["after"]["rdata"] = ["10 elsewhere.example.com."]
    with pytest.raises(PlanUnreadable, match="changed after it was made"):
        decode_plan(data, TYPES)


def test_a_plan_without_a_digest_is_refused() -> None:
    data = through_json(encode_plan(PLAN))
    del data["digest"]
    with pytest.raises(PlanUnreadable, match="digest"):
        decode_plan(data, TYPES)


def test_another_major_version_is_refused_before_anything_is_read() -> None:
    with pytest.raises(PlanUnreadable, match=r"format 3\.0, made by reconciler 9\.1"):
        decode_plan({"format_version": "3.0", "tool_version": "9.1"}, TYPES)


def test_a_plan_of_the_first_format_is_refused_with_what_to_do() -> None:
    with pytest.raises(PlanUnreadable, match=r"format 1\.0, .* make it again with `reconciler plan --out`"):
        decode_plan({**encode_plan(PLAN), "format_version": "1.0"}, TYPES)


def test_the_digest_is_that_of_what_is_approved() -> None:
    later = replace(PLAN, made_at=PLAN.made_at + timedelta(days=1), findings=())
    assert plan_digest(replace(later, steps=tuple(step.judged(RUN) for step in PLAN.steps))) == plan_digest(PLAN)
    assert plan_digest(replace(PLAN, steps=PLAN.steps[:1])) != plan_digest(PLAN)
    assert plan_digest(replace(PLAN, spec_digest="another")) != plan_digest(PLAN)


def test_unknown_keys_of_a_newer_minor_version_are_ignored() -> None:
    newer = through_json(encode_plan(PLAN))["steps"]
    newer[0]["risk"] = "low"
    newer[0]["verdict"]["colour"] = "green"
    assert decode_plan(signed(format_version="2.7", cost=3, steps=newer), TYPES) == PLAN


def test_an_unknown_field_of_a_resource_is_refused() -> None:
    changed = through_json(encode_plan(PLAN))["steps"]
    changed[0]["after"]["lock"] = "new in 1.1"
    with pytest.raises(PlanUnreadable, match=r"step 1, new/door/front: this is no door: lock"):
        decode_plan(signed(steps=changed), TYPES)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(PlanUnreadable, match=r"'door' is not a kind of resource; known are rrset"):
        decode_plan(through_json(encode_plan(PLAN)), {"rrset": RRset})


def test_a_missing_field_is_named_with_its_place() -> None:
    changed = through_json(encode_plan(PLAN))["steps"]
    del changed[1]["verdict"]["why"]
    with pytest.raises(PlanUnreadable, match=r"steps\.1\.verdict\.why: Field required"):
        decode_plan(signed(steps=changed), TYPES)


@pytest.mark.parametrize(
    ("key", "value"),
    [("address", "dns/rrset/example.com. MX"), ("verb", "-"), ("after", None), ("before", None)],
)
def test_a_step_that_shows_another_change_than_it_makes_is_refused(key: str, value: object) -> None:
    changed = through_json(encode_plan(PLAN))["steps"]
    changed[1][key] = value
    with pytest.raises(PlanUnreadable, match="its values say otherwise"):
        decode_plan(signed(steps=changed), TYPES)


def test_a_step_that_changes_nothing_into_nothing_is_refused() -> None:
    changed = through_json(encode_plan(PLAN))["steps"]
    changed[1]["before"] = changed[1]["after"] = None
    with pytest.raises(PlanUnreadable, match="its values say otherwise"):
        decode_plan(signed(steps=changed), TYPES)


@pytest.mark.parametrize("data", [None, [], "plan", {}, {"format_version": 1}, {"steps": []}])
def test_what_is_no_plan_at_all_is_refused(data: object) -> None:
    with pytest.raises(PlanUnreadable, match="not a saved plan"):
        decode_plan(data, TYPES)


def test_an_edit_that_is_no_text_is_refused_without_a_traceback() -> None:
    with pytest.raises(PlanUnreadable, match="changed after it was made"):
        decode_plan({**encode_plan(PLAN), "spec_digest": json.loads('"\\ud800"')}, TYPES)
