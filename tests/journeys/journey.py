"""One move on the lab: the tool driven as people drive it, by its command line, while mail flows."""

import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.journeys.reckoning import Figures, Flip, Rules, reckon
from tests.journeys.traffic import Traffic
from tests.lab.mail_lab import PEOPLE, SECRETS, MailLab
from tests.lab.mail_server import settle
from tests.lab.patience import PATIENCE
from tests.lab.sender import NUMBER
from tests.support.program import started

DONE, FAILED, CHANGES, WAITING, BLOCKED, STALE = range(6)  # the exit codes
GOES_ON = frozenset({CHANGES, WAITING})
"""What is left waits for a second or two; where that ran out while apply read everything again, it can run now."""
_PATIENCE = 5 * PATIENCE  # seconds for one stage, its waits included
_SOME = 25  # letters: every mailbox and alias gets at least one


class Journey:
    """A lab, its traffic and one spec.

    ``messages`` is how many letters the whole journey must have at least; ``history`` how many each mailbox has from
    before. ``ends_on`` is the server that has all mail in the end.
    """

    def __init__(
        self, messages: int, *, pace: float = 15, same_host: bool = False, history: int = 2_000, ends_on: str = "new"
    ) -> None:
        self.messages = messages
        self.lab = MailLab(same_host=same_host, history=history)
        self.ends_on = ends_on
        self.brought_back = False
        self.spec: dict[str, Any] = {}
        self.said: list[str] = []
        self.flips: list[Flip] = []
        self.interrupted = False
        self.seen_in_processes: set[str] = set()
        self._pace = pace
        self._watching = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        try:
            self.lab.start()
            self.spec = self.lab.spec()
            self.path = self.lab.write_spec(self.spec)
            self.traffic = Traffic(self.lab, self._pace)
            self._watcher.start()
        except BaseException:
            self.lab.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._watching.set()
        self._watcher.join()
        self.traffic.close()
        self.lab.remove()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The tool, not waited for."""
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "COLUMNS": "200"}
        return started(*arguments, environment=environment)

    def run(self, *arguments: str) -> tuple[int, str]:
        """The tool's exit code and all that it said."""
        return self.ended(self.start(*arguments))

    def ended(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        out, err = process.communicate(timeout=_PATIENCE)
        self.said.append(out + err)
        return process.returncode, out + err

    def apply(self, *more: str) -> str:
        """Until all is done, with the waits that the plan asks for."""
        return self.until_done("apply", str(self.path), "--yes", *more)

    def until_done(self, *arguments: str) -> str:
        deadline = time.monotonic() + _PATIENCE
        while True:
            code, said = self.run(*arguments)
            if code == DONE:
                return said
            assert code in GOES_ON, f"reconciler {' '.join(arguments)} ended with {code}:\n{said}\n{self.doubled()}"
            assert time.monotonic() < deadline, f"it still waits after {_PATIENCE} s:\n{said}"
            time.sleep(0.2)

    def edit(self, **changes: Any) -> None:
        """The spec, as somebody would commit it."""
        self.spec |= changes
        self.lab.write_spec(self.spec)

    def moved(self, people: Iterable[str], *, moved: bool = True) -> None:
        """Their lines in the spec."""
        for mailbox in self.spec["mailboxes"]:
            if mailbox["address"] in people:
                mailbox["moved"] = moved
        self.edit()

    def reach(self, stage: str) -> str:
        """A one-line change that somebody reviews, and apply."""
        self.edit(stage=stage)
        return self.apply()

    def plan(self) -> int:
        """The exit code of a plan, which is saved."""
        return self.run("plan", str(self.path), "--out", str(self.lab.folder / f"{len(self.said)}.plan.json"))[0]

    def move_user(self, person: str) -> None:
        """From now on he or she reads and writes on the new server."""
        self.moved([person])
        self.traffic.on_new.add(person)
        with self.flipping([person], on=False):
            self.apply()

    @contextmanager
    def flipping(self, people: Iterable[str] = PEOPLE, *, on: bool) -> Iterator[None]:
        """What the tool does in here switches the forwards of these people."""
        began = time.time()  # noqa: TID251 - the servers' clock
        yield
        ended = time.time()  # noqa: TID251 - the servers' clock
        self.flips += [Flip(person, began, ended, on) for person in people]

    def flow(self, part: float) -> None:
        """Until that part of all letters was sent, and some since now."""
        number = max(round(self.messages * part), len(self.traffic.letters) + _SOME)
        self.traffic.wait_for(number, PATIENCE + self.messages)

    def missing(self, place: str, *, of: str) -> list[str]:
        """The letters that one server has taken and the other one does not have, of those that are delivered."""
        servers = {"old": self.lab.old, "new": self.lab.new}
        here, there = (
            {(each.mailbox, each.headers[NUMBER]) for each in servers[side].stored() if NUMBER in each.headers}
            for side in (place, of)
        )
        return sorted(f"{number} to {mailbox}" for mailbox, number in there - here)

    def doubled(self) -> str:
        """The letters that stand more than once in a mailbox, file by file, and what the logs say of them."""
        files: dict[tuple[str, str, str], list[Path]] = defaultdict(list)
        for side, server in (("old", self.lab.old), ("new", self.lab.new)):
            for each in server.stored():
                if NUMBER in each.headers:
                    files[side, each.mailbox, each.headers.get("Message-ID", "")].append(each.file)
        twice = {key: paths for key, paths in files.items() if len(paths) > 1}
        told = [f"{side} {mailbox} {known_as}: {paths}" for (side, mailbox, known_as), paths in twice.items()]
        logs = [f"{name}: {line}" for name, text in self.lab.logs().items() for line in text.splitlines()]
        return "\n".join([*told, *(line for line in logs if any(known_as in line for _, _, known_as in twice))])

    def rules(self) -> Rules:
        return Rules(
            self.lab.expand,
            self.lab.place,
            self.flips,
            self.interrupted,
            self.ends_on,
            self.brought_back,
            self.lab.history,
        )

    def reckoned(self) -> Figures:
        """Once nothing is under way any more, and the last stragglers are collected."""
        self.traffic.stop()
        settle([self.lab.old, self.lab.new])
        if self.ends_on == "new":
            code, said = self.run("copy", str(self.path), "--verify")
            repeated = self.interrupted and code == BLOCKED and " twice, " in said  # by SMTP, and counted as such
            assert code == DONE or repeated, said
        return reckon(self.traffic.letters, self.lab.old.stored(), self.lab.new.stored(), self.rules())

    def written(self) -> dict[str, str]:
        """All that the tool has written and said: journal, plans and the rest beside the spec, and its output."""
        files = {
            str(file.relative_to(self.lab.folder)): file.read_bytes().decode("latin-1")
            for file in self.lab.folder.rglob("*")
            if file.is_file() and file.parent.name != SECRETS
        }
        return files | {"output": "\n".join(self.said)}

    def _watch(self) -> None:
        """Read the arguments of every process of the machine, a few times a second."""
        secrets = [secret.encode() for secret in self.lab.secrets()]
        while not self._watching.wait(0.2):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    arguments = process.read_bytes()
                except OSError:
                    continue
                if any(secret in arguments for secret in secrets):
                    self.seen_in_processes.add(arguments.partition(b"\0")[0].decode(errors="replace"))
