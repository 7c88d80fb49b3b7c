"""Plans in files: what ``plan --out`` saves can be reviewed, and holds back what ``apply`` would do later.

Beside the plan the file names its spec, relative to itself. That name is a convenience and not trusted: whoever applies
the plan sees it and says that it is the right one, and the spec's digest must be the plan's.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from reconciler.app.move import Move, types
from reconciler.errors import PlanUnreadable, StalePlan
from reconciler.model.codec import decode_plan, encode_plan, plan_digest
from reconciler.model.plan import Intent, Plan
from reconciler.transports import owner_files

_SPEC: Final = "spec"


def save(plan: Plan, spec: Path, file: Path) -> None:
    """Write the plan, for its owner alone: it holds no secret, but people's addresses and the rules of their mail.

    Raises:
        WriteError: it could not be written.

    """
    named = os.path.relpath(spec.absolute(), file.absolute().parent)
    content = json.dumps({_SPEC: named, **encode_plan(plan)}, indent=2)
    owner_files.write(file, f"{content}\n".encode())


def read(file: Path) -> tuple[Plan, Path | None]:
    """The plan, and its spec if the file names one.

    Raises:
        PlanUnreadable: it is no saved plan, or was altered.

    """
    try:
        data: Any = json.loads(file.read_bytes())
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}; save a plan with `reconciler plan --out`"
        raise PlanUnreadable(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{file} is not a saved plan: {error}; save one with `reconciler plan --out`"
        raise PlanUnreadable(msg) from error
    named = data.pop(_SPEC, None) if isinstance(data, dict) else None
    try:
        plan = decode_plan(data, types())
    except PlanUnreadable as error:
        msg = f"{file}: {error}"
        raise PlanUnreadable(msg) from error
    return plan, file.parent / named if isinstance(named, str) else None


def require_current(plan: Plan, move: Move, digest: str) -> None:
    """Refuse a plan that was not made from the spec as it is now, or that apply may not carry out.

    Raises:
        StalePlan: the spec, or the day that its dates count from, is another one.
        PlanUnreadable: the plan looks further ahead than the spec's stage, or is a rollback.

    """
    again = f"plan again: reconciler plan {move.path} --out FILE"
    if plan.intent is Intent.ROLLBACK:
        msg = "this is the plan of a rollback, which is carried out by `reconciler rollback` alone"
        raise PlanUnreadable(msg)
    if plan.domain != move.spec.domain or plan.spec_digest != digest:
        msg = f"the plan was not made from {move.path} as it is now: the spec was changed since, or is another; {again}"
        raise StalePlan(msg)
    if plan.stage is not move.spec.target:
        msg = (
            f"the plan leads to {plan.stage.label}, and {move.path} allows {move.spec.stage}: it was made to look "
            f"ahead. Set stage: {plan.stage.label} in the spec, have that reviewed, and {again}"
        )
        raise PlanUnreadable(msg)


def require_expected(plan: Plan, expected: str) -> None:
    """Refuse a plan that is not the one that was approved by this digest.

    Raises:
        StalePlan: it has another digest.

    """
    found = plan_digest(plan)
    if found != expected.strip().lower():
        msg = (
            f"the plan has the digest {found}, and {expected} was approved: it would do something else, or the spec is "
            "another. Nothing was written: plan again, look at the difference, and have the new plan approved"
        )
        raise StalePlan(msg)
