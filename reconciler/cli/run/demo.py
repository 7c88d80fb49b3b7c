"""``reconciler demo``: the main job, from the first plan to the last rollback, on a small world of real files."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from reconciler.app.clock import local
from reconciler.app.planning import plan_move
from reconciler.app.rolling_back import plan_back
from reconciler.app.session import open_session
from reconciler.cli.demo_world import Comparison, compare, files, write_world
from reconciler.cli.exit_codes import Code
from reconciler.cli.run.apply import run_apply
from reconciler.cli.run.plan import run_plan
from reconciler.cli.run.rollback import run_rollback
from reconciler.cli.speech.console import Console
from reconciler.cli.speech.manner import Manner
from reconciler.model.plan import Plan
from reconciler.model.stage import Stage
from reconciler.ports import Clock
from reconciler.wording.times import due

_WAYPOINTS: Final = (Stage.PREPARE, Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN)
_RELEASED: Final = "released_by_old_provider: true"
_COPIED_BACK: Final = "copied_back: true"
_MOST_WAITS: Final = 9  # more would mean that the plan never settles


class DemoClock:
    """Begins now, and is moved on where a real move would wait."""

    def __init__(self, start: datetime) -> None:
        """Stand still at ``start``."""
        self._now = start

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._now

    def move_to(self, at: datetime) -> None:
        """Never back."""
        self._now = max(self._now, at)


def run_demo(folder: Path, clock: Clock, console: Console, *, as_json: bool = False) -> Code:
    """Walk the demo's domain through the stages and all the way back; DONE if every file is as it was.

    Raises:
        ReconcilerError: the folder cannot be used, or a step could not be done.

    """
    story = replace(console, out=console.err) if as_json else console
    comparison = _Demo(folder, DemoClock(clock.now()), story).play()
    if as_json:
        console.result(f"{json.dumps(asdict(comparison), indent=2)}\n")
    return Code.DONE if comparison.restored else Code.FAILED


class _Demo:
    def __init__(self, folder: Path, clock: DemoClock, console: Console) -> None:
        self.folder = folder
        self.spec = folder / "migration.yaml"
        self.clock = clock
        self.console = console
        self.manner = Manner(console, sure=True)

    def play(self) -> Comparison:
        """Tell the whole story; what became of the files at its end."""
        write_world(self.folder, self.clock.now())
        before = files(self.folder)
        self._heading(f"A small world of real files: {self.folder}")
        self._tell(
            f"{len(before)} files: two mail servers (old/, new/) with mail in Maildirs, and a zone. The spec,",
            f"{self.spec}:",
            "",
        )
        self.console.result(self.spec.read_text())
        for stage in _WAYPOINTS:
            self._reach(stage)
        self._go_back()
        comparison = compare(before, files(self.folder))
        self._tell_end(comparison)
        return comparison

    def _reach(self, stage: Stage) -> None:
        self._heading(f"Stage {stage.label}")
        if stage is not _WAYPOINTS[0]:
            self._edit(f"stage: {_WAYPOINTS[_WAYPOINTS.index(stage) - 1].label}", f"stage: {stage.label}")
        if stage is Stage.HARDEN:
            self._tell("Weeks later Ann and Bob read on the new server, and their lines say so:")
            self._edit("moved: false", "moved: true")
        self._command("plan")
        run_plan([self.spec], self.clock, self.console)
        self._until_done("apply", lambda: run_apply([self.spec], self.clock, self.manner), self._plan)
        self._tell("", "A second plan finds nothing to do:")
        self._command("plan")
        run_plan([self.spec], self.clock, self.console)

    def _go_back(self) -> None:
        self._heading("And all the way back")
        self._tell(
            "Mail may have arrived on the new server by now. Its accounts are only removed once a person says that it",
            "was copied back; in this world none has arrived, so the spec says:",
        )
        self._edit(_RELEASED, f"{_RELEASED}\n  {_COPIED_BACK}")
        self._until_done("rollback --all", lambda: run_rollback(self.spec, self.clock, self.manner), self._plan_back)
        self._tell("", "The spec goes back as well:")
        self._edit("moved: true", "moved: false")
        self._edit(f"{_RELEASED}\n  {_COPIED_BACK}", _RELEASED)
        self._edit(f"stage: {_WAYPOINTS[-1].label}", f"stage: {_WAYPOINTS[0].label}")

    def _until_done(self, command: str, act: Callable[[], Code], look: Callable[[], Plan]) -> None:
        for _ in range(_MOST_WAITS):
            self._command(command)
            if act() is not Code.WAITING:
                return
            until = look().next_time
            if until is None:
                return
            waited = until + timedelta(seconds=1) - self.clock.now()
            self.clock.move_to(until + timedelta(seconds=1))
            self._tell(
                "",
                f"*** A real move waits here until {due(until, local)}, that is {_words(waited)}. The demo owns the",
                "*** clock and moves it there; nothing else is different.",
            )

    def _plan(self) -> Plan:
        with open_session(self.spec, self.clock) as session:
            return plan_move(session).plan

    def _plan_back(self) -> Plan:
        with open_session(self.spec, self.clock) as session:
            return plan_back(session).plan

    def _tell_end(self, comparison: Comparison) -> None:
        self._heading("Is every file what it was?")
        self._tell(f"{comparison.same} files are byte for byte what they were.")
        if comparison.serial:
            before, after = comparison.serial
            self._tell(
                f"The zone is, too, but for its SOA serial: {before} -> {after}. A serial may only rise, or the other",
                "name servers would not take the zone back (RFC 1982).",
            )
        for what, names in (
            ("changed", comparison.changed),
            ("missing", comparison.missing),
            ("left behind", comparison.added),
        ):
            for name in names:
                self._tell(f"{what}: {name}")
        self._tell(f"Look around: {self.folder}, or reconciler history {self.spec}")

    def _edit(self, before: str, after: str) -> None:
        self.spec.write_text(self.spec.read_text().replace(before, after))
        removed, added = before.splitlines(), after.splitlines()
        self._tell(*(f"  - {line.strip()}" for line in removed if line not in added))
        self._tell(*(f"  + {line.strip()}" for line in added if line not in removed))

    def _command(self, name: str) -> None:
        self._tell("", self.console.style.heading(f"$ reconciler {name} {self.spec}"))

    def _heading(self, text: str) -> None:
        self._tell("", self.console.style.heading(f"=== {text} ==="), "")

    def _tell(self, *lines: str) -> None:
        self.console.result("".join(f"{line}\n" for line in lines))


def _words(span: timedelta) -> str:
    hours, rest = divmod(int(span.total_seconds()), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
