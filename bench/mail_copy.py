"""How fast mail is copied, beside mbsync and doveadm on the same data: medians, and what is required of them.

    python -m bench.mail_copy [--rounds 5] [--only lan,wan,…]

Needs dovecot-imapd and isync. Everything runs on this machine's loopback; mail lies on tmpfs where there is one.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.mail_copy_data import FOLDERS, folder_of, make, make_many_small, on_disk, wipe, write
from bench.mail_copy_peers import doveadm_imapc, doveadm_tcp, mbsync, version
from tests.lab.dovecot import Dovecot

PLUGINS = """
mail_plugins = acl quota
protocol imap {
  mail_plugins = acl quota imap_acl imap_quota
}
plugin {
  acl = vfile
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=10G
}
"""
"""The new server as hosts of many mailboxes run theirs."""


class Ran(NamedTuple):
    """Wall and CPU seconds of a program with all it starts, and the most memory of it in MB."""

    seconds: float
    cpu: float
    megabytes: float
    said: str = ""


class Lab:
    """Two servers, slow lines to them, and a place for state."""

    def __init__(self, stack: ExitStack) -> None:
        self.place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.old = Dovecot("bench-old", separator=".", fsync="optimized")
        self.new = Dovecot("bench-new", separator="/", fsync="optimized", extra=PLUGINS)
        for server in (self.old, self.new):
            for user in ("big", "wan", "huge", "fat", *(f"u{n:03}" for n in range(200))):
                server.add_user(user)
            server.start()
            stack.callback(server.remove)
        self.slow = {self.old.port: self._slow(stack, self.old.port), self.new.port: self._slow(stack, self.new.port)}

    def _slow(self, stack: ExitStack, port: int) -> int:
        line = subprocess.Popen(
            [sys.executable, "-m", "bench.mail_copy_line", str(port)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )
        stack.callback(line.communicate)
        assert line.stdout
        return int(line.stdout.readline())

    def ours(self, users: list[str], ledger: str, *, slow: str = "", parallel: int = 1) -> Ran:
        source = self.slow[self.old.port] if "s" in slow else self.old.port
        target = self.slow[self.new.port] if "t" in slow else self.new.port
        order = {
            "users": users,
            "source": source,
            "target": target,
            "ledger": str(self.place / f"{ledger}.db"),
            "parallel": parallel,
        }
        return timed([sys.executable, "-m", "bench.mail_copy_ours", json.dumps(order)])

    def forget(self, ledger: str) -> None:
        for file in self.place.glob(f"{ledger}.db*"):
            file.unlink()
        for state in self.place.glob("mbsync-*/*"):
            state.unlink()


def timed(argv: list[str]) -> Ran:
    began = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout
    said = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{argv} ended with {process.returncode}: {said}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


def start_up() -> float:
    """What Python and the imports take, of our time."""
    return timed([sys.executable, "-m", "bench.mail_copy_ours"]).seconds


def compare(title: str, rounds: int, runs: dict[str, Callable[[], Ran]], before: Callable[[], None]) -> dict[str, Ran]:
    """Each program in turn, round after round, so that a busy moment meets all of them; prints medians and ratios."""
    found: dict[str, list[Ran]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            before()
            found[name].append(run())
    middle = {
        name: Ran(*(median(column) for column in zip(*(ran[:3] for ran in rans), strict=True)))
        for name, rans in found.items()
    }
    ours = middle["ours"]
    start = median(start_up() for _ in range(rounds))
    print(f"\n{title} (median of {rounds}; load {os.getloadavg()[0]:.1f}, start-up of ours {start:.2f} s)")
    for name, ran in middle.items():
        ratio = f"{ran.seconds / ours.seconds:6.2f} x ours" if name != "ours" else ""
        print(f"  {name:16} {ran.seconds:8.2f} s   CPU {ran.cpu:6.2f} s   {ran.megabytes:5.0f} MB   {ratio}")
    return middle


def equal(lab: Lab, user: str) -> None:
    here, there = on_disk(lab.old, user), on_disk(lab.new, user)
    difference = sum(((here - there) + (there - here)).values())
    print(f"  files on disk: {sum(here.values())} and {sum(there.values())}, {difference} differ")
    if difference:
        raise SystemExit("the copy is not equal")


def lan(lab: Lab, rounds: int) -> None:
    octets = make(lab.old, "big", 5_012, 1)
    print(f"\nbig: 5012 messages, {octets / 1e6:.1f} MB, {len(FOLDERS)} folders")

    def before() -> None:
        wipe(lab.new, "big")
        lab.forget("big")

    before()
    lab.ours(["big"], "big")
    equal(lab, "big")
    again = lab.ours(["big"], "big")
    print(f"  nothing new: {again.seconds:.2f} s, CPU {again.cpu:.2f} s with Python's start")
    runs = {
        "ours": lambda: lab.ours(["big"], "big"),
        "mbsync": lambda: timed(mbsync(lab.place, "big", lab.old.port, lab.new.port)),
        "doveadm tcp": lambda: timed(doveadm_tcp(lab.old, lab.new, "big")),
        "doveadm imapc": lambda: timed(doveadm_imapc(lab.new, "big", lab.old.port)),
    }
    compare("first copy on a LAN; required: mbsync 9, tcp 1.6, imapc at least 1/1.4 = 0.71", rounds, runs, before)


def wan(lab: Lab, rounds: int) -> None:
    make(lab.old, "wan", 1_002, 2)

    def before() -> None:
        wipe(lab.new, "wan")
        lab.forget("wan")

    slow_old, slow_new = lab.slow[lab.old.port], lab.slow[lab.new.port]
    runs = {
        "ours": lambda: lab.ours(["wan"], "wan", slow="st"),
        "mbsync": lambda: timed(mbsync(lab.place, "wan", slow_old, slow_new)),
    }
    compare("1002 messages, 40 ms to both servers; required: mbsync 6", rounds, runs, before)
    equal_after = {"ours": lambda: lab.ours(["wan"], "wan", slow="s")}
    equal_after["doveadm imapc"] = lambda: timed(doveadm_imapc(lab.new, "wan", slow_old))
    compare("1002 messages, 40 ms to the source; required: imapc 2", rounds, equal_after, before)
    before()
    lab.ours(["wan"], "wan", slow="st")
    equal(lab, "wan")


def delta(lab: Lab, rounds: int) -> None:
    """50 new messages and 20 changed flags on top of a full copy."""
    chance = random.Random(5)
    count = [100_000]
    for user in ("big",):
        if not lab.old.maildir(user).exists():
            make(lab.old, user, 5_012, 1)

    def change() -> None:
        root = lab.old.maildir("big")
        for _ in range(50):
            count[0] += 1
            write(folder_of(root, chance.choice(FOLDERS)), count[0], chance, b"x" * 5000, 4000)
        lab.old.own(root)
        lab.old.doveadm("flags", "add", "-u", "big", "\\Answered", "mailbox", "Work", f"{chance.randrange(1, 200)}:*")
        lab.old.doveadm(
            "flags", "remove", "-u", "big", "\\Answered", "mailbox", "Lists", f"1:{chance.randrange(5, 20)}"
        )

    wipe(lab.new, "big")
    lab.forget("big")
    lab.ours(["big"], "big")
    start = median(start_up() for _ in range(5))
    figures = []
    for _ in range(rounds):
        change()
        figures.append(lab.ours(["big"], "big").seconds)
    equal(lab, "big")
    wipe(lab.new, "big")
    lab.forget("big")
    timed(mbsync(lab.place, "big", lab.old.port, lab.new.port))
    theirs = []
    for _ in range(rounds):
        change()
        theirs.append(timed(mbsync(lab.place, "big", lab.old.port, lab.new.port)).seconds)
    print(f"\n50 new, some changed flags (median of {rounds}); required: at most 1.2 of mbsync, start-up aside")
    print(f"  ours {median(figures):.2f} s, of it start-up {start:.2f} s   mbsync {median(theirs):.2f} s")
    print(f"  start-up aside: {(median(figures) - start) / median(theirs):.2f} of mbsync")


def nothing(lab: Lab, rounds: int) -> None:
    users = [f"u{n:03}" for n in range(200)]
    for number, user in enumerate(users):
        make(lab.old, user, 24, number)
    lab.ours(users, "many", parallel=4)
    figures = [lab.ours(users, "many", slow="st", parallel=64) for _ in range(rounds)]
    seconds, cpu = median(f.seconds for f in figures), median(f.cpu for f in figures)
    print(f"\nnothing new in 200 mailboxes of 12 folders at 40 ms (median of {rounds}); required: 5 s, 10 ms CPU each")
    print(f"  ours {seconds:.2f} s, CPU {cpu / 200 * 1000:.1f} ms a mailbox, {figures[0].megabytes:.0f} MB")
    print(f"  {figures[-1].said.strip()}")


def huge(lab: Lab, rounds: int) -> None:
    make_many_small(lab.old, "huge", 100_000)

    def before() -> None:
        wipe(lab.new, "huge")
        lab.forget("huge")

    runs = {
        "ours": lambda: lab.ours(["huge"], "huge"),
        "doveadm imapc": lambda: timed(doveadm_imapc(lab.new, "huge", lab.old.port)),
    }
    compare("100,000 messages in one folder; required: imapc at least 1/1.5 = 0.67, under 100 MB", rounds, runs, before)
    before()
    lab.ours(["huge"], "huge")
    again = lab.ours(["huge"], "huge")
    print(f"  nothing new: {again.seconds:.2f} s, {again.megabytes:.0f} MB; required: under 1 s")
    equal(lab, "huge")
    before()


def fat(lab: Lab, _: int) -> None:
    folder = lab.old.maildir("fat")
    (folder / "cur").mkdir(parents=True)
    (folder / "cur" / "1.fat.h:2,S").write_bytes(b"Message-ID: <fat@x>\n\n" + b"0123456789abcdef" * 64 * 102_400)
    lab.old.own(folder.parent)
    ran = lab.ours(["fat"], "fat")
    print(f"\none message of 100 MB: {ran.seconds:.2f} s, {ran.megabytes:.0f} MB; required: under 250 MB")
    equal(lab, "fat")


def fleet(lab: Lab, rounds: int) -> None:
    users = [f"u{n:03}" for n in range(20)]
    for number, user in enumerate(users):
        wipe(lab.old, user)
        make(lab.old, user, 250, 1000 + number)

    def before() -> None:
        for user in users:
            wipe(lab.new, user)
        lab.forget("fleet")

    def four() -> Ran:
        began = time.monotonic()
        shares = [users[n::4] for n in range(4)]
        lines = [
            " && ".join(" ".join(mbsync(lab.place, user, lab.old.port, lab.new.port)) for user in share)
            for share in shares
        ]
        running = [subprocess.Popen(["sh", "-c", line]) for line in lines]
        if any(process.wait() for process in running):
            raise SystemExit("mbsync failed")
        return Ran(time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, 0)

    runs = {"ours": lambda: lab.ours(users, "fleet", parallel=4), "mbsync x 4": four}
    compare("20 mailboxes, 4 at a time; required: mbsync 6", rounds, runs, before)


CASES = {"lan": lan, "wan": wan, "delta": delta, "nothing": nothing, "fleet": fleet, "fat": fat, "huge": huge}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(CASES))
    given = parser.parse_args()
    print(
        f"{version('dovecot', '--version')}; {version('mbsync', '--version')}; Python {sys.version.split()[0]}; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    with ExitStack() as stack:
        lab = Lab(stack)
        for name in given.only.split(","):
            CASES[name](lab, given.rounds)


if __name__ == "__main__":
    main()
