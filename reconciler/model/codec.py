"""Resources and plans as JSON-ready data, and back: the same value always gives the same text.

Sets become sorted lists, times ISO 8601 in UTC, stages their words. Nothing that is not plain data has a form here,
least of all a Secret. A reader ignores keys of a plan that it does not know, but never an unknown field of a resource:
to apply a value without one of its fields would not be what was reviewed.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from importlib import metadata
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from reconciler.errors import PlanUnreadable
from reconciler.model.change import Change
from reconciler.model.plan import Finding, Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.saved_plan import SavedPlan, SavedStep
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Verdict, Wait, Warn

FORMAT_VERSION: Final = "2.0"
_BESIDE: Final = frozenset({"place", "name", "stored"})
_AGAIN: Final = "make it again with `reconciler plan --out`"


def encode_resource(resource: Resource) -> dict[str, Any]:
    """``kind``, ``place`` and ``name``, then the fields of the kind.

    Raises:
        TypeError: a field holds what has no form as data, such as a Secret; the message never holds the value.

    """
    return {"kind": resource.kind, **{field: _plain(value, field) for field, value in resource}}


def told_fields(resource: Resource | None) -> dict[str, Any]:
    """What people are told of it: without its address, how a file spells it, and what says nothing; {} if absent."""
    data = encode_resource(resource) if resource else {}
    return {key: value for key, value in data.items() if key not in _BESIDE and value not in (None, "", [])}


def decode_resource(data: Mapping[str, Any], types: Mapping[str, type[Resource]]) -> Resource:
    """The inverse of ``encode_resource``; ``types`` maps each kind to its class.

    Raises:
        ValueError: no class has this kind, or the fields are not those of the class.

    """
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind not in types:
        msg = f"{kind!r} is not a kind of resource; known are {', '.join(sorted(types))}"
        raise ValueError(msg)
    try:
        return types[kind].model_validate(fields)
    except ValidationError as error:
        msg = f"this is no {kind}: {_first(error)}"
        raise ValueError(msg) from error


def encode_change(change: Change) -> dict[str, Any]:
    """Address and verb, for people and tools, and the pair of values."""
    return {
        "address": str(change.address),
        "verb": change.verb.value,
        "before": encode_resource(change.before) if change.before else None,
        "after": encode_resource(change.after) if change.after else None,
    }


def encode_step(step: Step) -> dict[str, Any]:
    """Its place in the order, its change and its verdict."""
    return {
        "number": step.number,
        "stage": step.stage.label,
        **encode_change(step.change),
        "after_steps": list(step.after),
        "verdict": encode_verdict(step.verdict),
        "note": step.note,
    }


def encode_verdict(verdict: Verdict) -> dict[str, Any]:
    """Always all three keys, so that a reader need not ask which status has which."""
    return {"status": verdict.status.value, "why": verdict.why, "until": _time(verdict.until)}


def encode_answer(answer: Answer) -> dict[str, Any]:
    """``answer`` is pass, warn, wait or fail; the other keys follow from it."""
    match answer:
        case Pass(evidence):
            return {"answer": "pass", "evidence": evidence}
        case Warn(why, todo):
            return {"answer": "warn", "why": why, "todo": todo}
        case Wait(until, why):
            return {"answer": "wait", "until": _time(until), "why": why}
        case Fail(why, todo):
            return {"answer": "fail", "why": why, "todo": todo}


def encode_finding(finding: Finding) -> dict[str, Any]:
    """One check's answer on the way into one stage."""
    return {
        "check": finding.check,
        "title": finding.title,
        "stage": finding.stage.label,
        "answer": encode_answer(finding.answer),
    }


def encode_plan(plan: Plan, tool_version: str | None = None) -> dict[str, Any]:
    """A saved plan: the format's and the tool's version (this one's, if silent), the plan, and its digest last."""
    data = {
        "format_version": FORMAT_VERSION,
        "tool_version": tool_version or metadata.version("reconciler"),
        "domain": plan.domain,
        "intent": plan.intent.value,
        "stage": plan.stage.label,
        "made_at": _time(plan.made_at),
        "spec_digest": plan.spec_digest,
        "steps": [encode_step(step) for step in plan.steps],
        "findings": [encode_finding(finding) for finding in plan.findings],
    }
    return {**data, "digest": digest_of(data)}


def plan_digest(plan: Plan) -> str:
    """The ``digest`` by which the plan is approved."""
    steps = [encode_change(step.change) for step in plan.steps]
    return digest_of({"spec_digest": plan.spec_digest, "steps": steps})


def digest_of(data: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over what is approved: the spec's digest, and address, before and after of each step in order.

    As JSON with sorted keys, no white space and ASCII escapes. The time of making and the verdicts do not count, so
    that a plan made anew has the same digest as long as it would do the same.
    """
    steps = [{key: step[key] for key in ("address", "before", "after")} for step in data["steps"]]
    content = {"spec_digest": data["spec_digest"], "steps": steps}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def decode_plan(data: object, types: Mapping[str, type[Resource]]) -> Plan:
    """The inverse of ``encode_plan``, for what ``json.loads`` gives.

    Raises:
        PlanUnreadable: not a plan, another major version, a digest that does not fit, an unknown kind or missing field.

    """
    if not isinstance(data, dict) or not isinstance(version := data.get("format_version"), str):
        msg = f"this is not a saved plan: it has no format_version; {_AGAIN}"
        raise PlanUnreadable(msg)
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        msg = (
            f"the plan has format {version}, made by reconciler {data.get('tool_version', 'of an unknown version')}, "
            f"and this version reads {FORMAT_VERSION}: its steps could mean something else; {_AGAIN}"
        )
        raise PlanUnreadable(msg)
    try:
        saved = SavedPlan.model_validate(data)
        if saved.digest != digest_of(data):
            msg = (
                "the plan's digest does not fit its content: the file was changed after it was made, so it is not what "
                f"was reviewed; {_AGAIN}, and change the spec instead of the plan"
            )
            raise PlanUnreadable(msg)
        return _plan(saved, types)
    except ValidationError as error:
        msg = f"the plan cannot be read, at {_first(error)}; {_AGAIN}"
        raise PlanUnreadable(msg) from error
    except ValueError as error:
        msg = f"the plan cannot be read: {error}; {_AGAIN}"
        raise PlanUnreadable(msg) from error


def _plan(saved: SavedPlan, types: Mapping[str, type[Resource]]) -> Plan:
    return Plan(
        domain=saved.domain,
        stage=Stage.of(saved.stage),
        made_at=saved.made_at,
        spec_digest=saved.spec_digest,
        steps=tuple(_step(step, types) for step in saved.steps),
        findings=tuple(finding.finding() for finding in saved.findings),
        intent=saved.intent,
    )


def _step(saved: SavedStep, types: Mapping[str, type[Resource]]) -> Step:
    try:
        before, after = (None if side is None else decode_resource(side, types) for side in (saved.before, saved.after))
    except ValueError as error:
        msg = f"step {saved.number}, {saved.address}: {error}"
        raise ValueError(msg) from error
    addresses = {str(side.address) for side in (before, after) if side}
    change = Change(before, after) if addresses == {saved.address} else None
    if change is None or change.verb != saved.verb:
        msg = f"step {saved.number} calls itself {saved.verb} {saved.address}, but its values say otherwise"
        raise ValueError(msg)
    return Step(saved.number, Stage.of(saved.stage), change, saved.after_steps, saved.verdict.verdict(), saved.note)


def _plain(value: object, field: str) -> Any:  # noqa: PLR0911 - one form for each type
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return _time(value)
        case frozenset() | set():
            return sorted((_plain(item, field) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        case tuple() | list():
            return [_plain(item, field) for item in value]
        case Mapping():
            return {str(_plain(key, field)): _plain(item, field) for key, item in sorted(value.items())}
        case BaseModel():
            return {name: _plain(item, f"{field}.{name}") for name, item in value}
        case _:
            msg = f"{field} holds a {type(value).__name__}, which is never written down"
            raise TypeError(msg)


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        msg = f"{moment} has no time zone"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
