"""How fast mail is copied, beside mbsync and doveadm on the same data: medians, and what is required of them.

    python -m bench.mail_copy [--rounds 5] [--only lan,wan,…] [--preferred]

Needs dovecot-imapd and isync. Everything runs on this machine's loopback; mail lies on tmpfs where there is one, and
what the programs note (our ledger, mbsync's state) on the disk. Ours is one process that does one pass, Python's start,
the ledger and its commits included. After a copy the two servers' files are compared.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.mail_copy_data import FOLDERS, folder_of, make, make_many_small, on_disk, wipe, write
from bench.mail_copy_measured import Ran, middle, rounds_of, show, timed
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

_USERS = ("big", "wan", "huge", "fat", *(f"u{n:03}" for n in range(200)))
_FLEET = 20
_AT_ONCE = 4


class Lab:
    """Two servers, slow lines to them, and a place for what the programs note; ``rows`` are the table of the end."""

    def __init__(self, stack: ExitStack, rounds: int, place: str | None = None, *, preferred: bool = False) -> None:
        self.rounds, self.preferred = rounds, preferred
        self.rows: list[str] = []
        self.state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        where: dict[str, Any] = {"place": place} if place else {}
        self.old = Dovecot("bench-old", separator=".", fsync="optimized")
        self.new = Dovecot("bench-new", separator="/", fsync="optimized", extra=PLUGINS, **where)
        for server in (self.old, self.new):
            for user in _USERS:
                server.add_user(user)
            server.start()
            stack.callback(server.remove)
            if preferred:
                prefer((server.root / "run" / "master.pid").read_text().strip())
        self.slow = {port: self._slow(stack, port) for port in (self.old.port, self.new.port)}

    @staticmethod
    def _slow(stack: ExitStack, port: int) -> int:
        line = subprocess.Popen(
            [sys.executable, "-m", "bench.mail_copy_line", str(port)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )
        stack.callback(line.communicate)
        assert line.stdout
        return int(line.stdout.readline())

    def timed(self, *programs: list[str]) -> Ran:
        return timed((self.old, self.new), *programs)

    def ours(self, users: list[str], *, slow: str = "", parallel: int = 1) -> Ran:
        order = {
            "users": users,
            "source": self.slow[self.old.port] if "s" in slow else self.old.port,
            "target": self.slow[self.new.port] if "t" in slow else self.new.port,
            "ledger": str(self.state / "ours.db"),
            "parallel": parallel,
        }
        return self.timed([sys.executable, "-m", "bench.mail_copy_ours", json.dumps(order)])

    def mbsync(self, user: str, *, slow: bool = False) -> list[str]:
        ports = (self.old.port, self.new.port)
        source, target = (self.slow[port] for port in ports) if slow else ports
        return mbsync(self.state, user, source, target)

    def empty(self, *users: str) -> Callable[[], None]:
        """What takes the new mailboxes away, and all that the programs know of them."""

        def before() -> None:
            for user in users:
                wipe(self.new, user)
            for note in (*self.state.glob("ours.db*"), *self.state.glob("mbsync-*/*")):
                note.unlink()

        return before

    def equal(self, *users: str) -> None:
        for user in users:
            here, there = on_disk(self.old, user), on_disk(self.new, user)
            if here != there:
                difference = sum(((here - there) + (there - here)).values())
                raise SystemExit(f"the copy of {user} is not equal: {difference} of {sum(here.values())} differ")
        print(f"  files on disk: equal ({', '.join(users[:3])}{', …' if users[3:] else ''})")

    def row(self, case: str, ours: str, peer: str, found: str, required: str, *, met: bool | None) -> None:
        verdict = {True: "met", False: "**not met**", None: ""}[met]
        self.rows.append(f"| {case} | {ours} | {peer} | {found} | {required} | {verdict} |")

    def faster(self, case: str, ours: Ran, peer: str, theirs: Ran, required: float) -> None:
        """A row for how many times as fast as a peer; below 1 it may be slower."""
        ratio = theirs.seconds / ours.seconds
        self.row(
            case, f"{ours.seconds:.2f} s", f"{peer} {theirs.seconds:.2f} s", f"{ratio:.2f}", f"{required:.2f}",
            met=ratio >= required,
        )  # fmt: skip

    def bound(self, case: str, ours: float, unit: str, required: float) -> None:
        self.row(
            case, f"{ours:.{2 if unit == 's' else 0}f} {unit}", "", "", f"{required:g} {unit}", met=ours <= required
        )


def lan(lab: Lab) -> None:
    octets = make(lab.old, "big", 5_012, 1)
    title = f"first copy, LAN, 5,012 messages, {octets / 1e6:.0f} MB, {len(FOLDERS)} folders"
    print(f"\n{title}")
    before = lab.empty("big")
    before()
    lab.ours(["big"])
    lab.equal("big")
    again = lab.ours(["big"])
    show("nothing new", again, [again.seconds])
    found = rounds_of(
        lab.rounds,
        {
            "ours": lambda: lab.ours(["big"]),
            "mbsync": lambda: lab.timed(lab.mbsync("big")),
            "doveadm tcp": lambda: lab.timed(doveadm_tcp(lab.old, lab.new, "big")),
            "doveadm imapc": lambda: lab.timed(doveadm_imapc(lab.new, "big", lab.old.port)),
        },
        before,
    )
    for peer, required in (("mbsync", 9.0), ("doveadm tcp", 1.6), ("doveadm imapc", 1 / 1.4)):
        lab.faster(title, found["ours"], peer, found[peer], required)


def wan(lab: Lab) -> None:
    make(lab.old, "wan", 1_002, 2)
    print("\n1,002 messages, 40 ms to both servers")
    before = lab.empty("wan")
    runs = {
        "ours": lambda: lab.ours(["wan"], slow="st"),
        "mbsync": lambda: lab.timed(lab.mbsync("wan", slow=True)),
    }
    found = rounds_of(lab.rounds, runs, before)
    lab.faster("1,002 messages, 40 ms to both servers", found["ours"], "mbsync", found["mbsync"], 6)
    print("\n1,002 messages, 40 ms to the source")
    runs = {
        "ours": lambda: lab.ours(["wan"], slow="s"),
        "doveadm imapc": lambda: lab.timed(doveadm_imapc(lab.new, "wan", lab.slow[lab.old.port])),
    }
    found = rounds_of(lab.rounds, runs, before)
    lab.faster("1,002 messages, 40 ms to the source", found["ours"], "doveadm imapc", found["doveadm imapc"], 2)
    before()
    lab.ours(["wan"], slow="st")
    lab.equal("wan")


def delta(lab: Lab) -> None:
    """50 new messages and 20 changed flags on top of a full copy."""
    if not lab.old.maildir("big").exists():
        make(lab.old, "big", 5_012, 1)
    chance = random.Random(5)
    number, flagged = 100_000, False

    def change() -> None:
        nonlocal number, flagged
        root = lab.old.maildir("big")
        for _ in range(50):
            number += 1
            write(folder_of(root, chance.choice(FOLDERS)), number, chance, b"x" * 5000, 4000)
        lab.old.own(root)
        flagged = not flagged
        lab.old.doveadm("flags", "add" if flagged else "remove", "-u", "big", "\\Draft", "mailbox", "Work", "1:20")

    print("\n50 new messages and 20 changed flags")
    lab.empty("big")()
    lab.ours(["big"])
    lab.timed(lab.mbsync("big"))
    lab.empty("big")()
    ours, theirs = [], []
    lab.ours(["big"])
    for _ in range(lab.rounds):
        change()
        ours.append(lab.ours(["big"]))
    lab.equal("big")
    lab.empty("big")()
    lab.timed(lab.mbsync("big"))
    for _ in range(lab.rounds):
        change()
        theirs.append(lab.timed(lab.mbsync("big")))
    start = middle([lab.timed([sys.executable, "-m", "bench.mail_copy_ours"]) for _ in range(lab.rounds)])
    show("ours", middle(ours), [ran.seconds for ran in ours])
    show("its start-up", start, [start.seconds])
    show("mbsync", middle(theirs), [ran.seconds for ran in theirs])
    aside, peer = middle(ours).seconds - start.seconds, middle(theirs).seconds
    lab.row(
        "50 new messages, 20 changed flags, start-up aside", f"{aside:.2f} s", f"mbsync {peer:.2f} s",
        f"{aside / peer:.2f} of its time", "at most 1.20", met=aside <= 1.2 * peer,
    )  # fmt: skip


def nothing(lab: Lab) -> None:
    users = [f"u{n:03}" for n in range(200)]
    for number, user in enumerate(users):
        wipe(lab.old, user)
        make(lab.old, user, 24, number)
    print("\nnothing new, 200 mailboxes of 12 folders in one process, 40 ms to both servers")
    lab.empty(*users)()
    lab.ours(users, parallel=4)
    lab.equal(*users)
    found = rounds_of(lab.rounds, {"ours": lambda: lab.ours(users, slow="st", parallel=64)}, lambda: None)["ours"]
    if not found.said.startswith("200 mailboxes") or ", 0 of them new" not in found.said:
        raise SystemExit(found.said)
    lab.bound("nothing new, 200 mailboxes at 40 ms", found.seconds, "s", 5)
    lab.bound("the same, CPU a mailbox", found.cpu / len(users) * 1000, "ms", 10)


def fleet(lab: Lab) -> None:
    users = [f"u{n:03}" for n in range(_FLEET)]
    for number, user in enumerate(users):
        wipe(lab.old, user)
        make(lab.old, user, 250, 1000 + number)
    print("\n20 mailboxes of 250 messages, 4 at a time")
    before = lab.empty(*users)
    before()
    lab.ours(users, parallel=_AT_ONCE)
    lab.equal(*users)

    def four() -> Ran:
        shares = [users[n::_AT_ONCE] for n in range(_AT_ONCE)]
        return lab.timed(*(["sh", "-c", " && ".join(" ".join(lab.mbsync(u)) for u in share)] for share in shares))

    found = rounds_of(lab.rounds, {"ours": lambda: lab.ours(users, parallel=_AT_ONCE), "4 x mbsync": four}, before)
    lab.faster("20 mailboxes, 4 at a time", found["ours"], "4 x mbsync", found["4 x mbsync"], 6)


def fat(lab: Lab) -> None:
    folder = lab.old.maildir("fat")
    (folder / "cur").mkdir(parents=True)
    (folder / "cur" / "1.fat.h:2,S").write_bytes(b"Message-ID: <fat@x>\n\n" + b"0123456789abcdef" * 64 * 102_400)
    lab.old.own(folder.parent)
    print("\none message of 105 MB")
    found = rounds_of(lab.rounds, {"ours": lambda: lab.ours(["fat"])}, lab.empty("fat"))["ours"]
    lab.equal("fat")
    lab.bound("one message of 105 MB, memory", found.megabytes, "MB", 250)


def huge(lab: Lab) -> None:
    make_many_small(lab.old, "huge", 100_000)
    title = "100,000 messages in one folder"
    print(f"\n{title}")
    before = lab.empty("huge")
    runs = {
        "ours": lambda: lab.ours(["huge"]),
        "doveadm imapc": lambda: lab.timed(doveadm_imapc(lab.new, "huge", lab.old.port)),
    }
    found = rounds_of(lab.rounds, runs, before)
    before()
    lab.ours(["huge"])
    lab.equal("huge")
    again = rounds_of(lab.rounds, {"nothing new": lambda: lab.ours(["huge"])}, lambda: None)["nothing new"]
    lab.faster(title, found["ours"], "doveadm imapc", found["doveadm imapc"], 1 / 1.5)
    lab.bound(f"{title}, memory", found["ours"].megabytes, "MB", 100)
    lab.bound(f"{title}, nothing new", again.seconds, "s", 1)


def disk(lab: Lab) -> None:
    """A real disk below the new server, with Dovecot's own syncs: nothing is claimed, the disk decides."""
    with ExitStack() as stack:
        other = Lab(stack, lab.rounds, place="/var/tmp", preferred=lab.preferred)
        make(other.old, "big", 5_012, 1)
        print("\nfirst copy as on the LAN, the new server's mail on the disk")
        found = rounds_of(
            lab.rounds,
            {
                "ours": lambda: other.ours(["big"]),
                "doveadm imapc": lambda: other.timed(doveadm_imapc(other.new, "big", other.old.port)),
            },
            other.empty("big"),
        )
        ours, peer = found["ours"].seconds, found["doveadm imapc"].seconds
        lab.row(
            "the same as on the LAN, target on the disk", f"{ours:.2f} s", f"doveadm imapc {peer:.2f} s",
            f"{peer / ours:.2f}", "", met=None,
        )  # fmt: skip


CASES = {
    "lan": lan, "wan": wan, "delta": delta, "nothing": nothing, "fleet": fleet, "fat": fat, "huge": huge, "disk": disk,
}  # fmt: skip


def prefer(process: str, nice: int = -20) -> None:
    """Let the session of a process go before others' (sched(7), autogroup): servers, ours and the peers alike."""
    Path(f"/proc/{process}/autogroup").write_text(str(nice))


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--preferred", action="store_true", help="go before the machine's other work; needs root")
    given = parser.parse_args()
    print(
        f"{version('dovecot', '--version')}; {version('mbsync', '--version')}; Python {platform.python_version()}; "
        f"{os.cpu_count()} x {processor()}, load {os.getloadavg()[0]:.1f}"
    )
    loads = []
    with ExitStack() as stack:
        if given.preferred:
            prefer("self")
            stack.callback(prefer, "self", 0)
        lab = Lab(stack, given.rounds, preferred=given.preferred)
        for name in given.only.split(","):
            CASES[name](lab)
            loads.append(os.getloadavg()[0])
    print(f"\nMedians of {given.rounds}; load {median(loads):.1f} in the middle, {max(loads):.1f} at most.\n")
    print("| case | ours | peer | times as fast | required | |\n|---|---|---|---|---|---|")
    print("\n".join(lab.rows))


if __name__ == "__main__":
    main()
