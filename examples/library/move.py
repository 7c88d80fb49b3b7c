"""Take a move as far as it can go now: check, show, ask, apply; or all the way back.

    python move.py SPEC [--yes] [--back]

Ends with 0 where nothing is left to do, 2 where something is, and 1 after an error.
"""

import argparse
import sys

from reconciler.api import Event, Hearer, Plan, ReconcilerError, StepsDone, Waiting, open_move


def hear(event: Event) -> None:
    """Say what is written, and what a write waits for."""
    match event:
        case StepsDone(steps):
            for step in steps:
                print(f"  done: {step.change.verb.value} {step.change.address}")
        case Waiting(words):
            print(f"  waiting: {words}")
        case _:
            pass


def ask(plan: Plan) -> None:
    """Go on only after the whole word yes."""
    if input(f"{len(plan.runnable)} changes of {plan.domain} can run now. Go on? ") != "yes":
        raise SystemExit("nothing was changed")


def main() -> int:
    """One move, forward or back."""
    arguments = argparse.ArgumentParser(description="Take a move as far as it can go now.")
    arguments.add_argument("spec")
    arguments.add_argument("--yes", action="store_true", help="do not ask")
    arguments.add_argument("--back", action="store_true", help="put back what stood before the move")
    asked = arguments.parse_args()
    confirm = (lambda _plan: None) if asked.yes else ask
    try:
        with open_move(asked.spec, events=Hearer(hear)) as move:
            if asked.back:
                applied = move.roll_back(confirm=confirm)
            else:
                for finding in move.check():
                    print(f"{finding.stage.label}: {type(finding.answer).__name__}: {finding.title}")
                applied = move.apply(confirm=confirm)
            print(f"{applied.written} written, {len(applied.left.steps)} left")
            if applied.left.next_time:
                print(f"come back after {applied.left.next_time:%Y-%m-%d %H:%M} UTC")
            return 2 if applied.left.steps else 0
    except ReconcilerError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
