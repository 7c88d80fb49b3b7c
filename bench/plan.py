"""How long `reconciler plan` takes on file backends, and whether it grows linearly.

    python bench/plan.py                 1,000, 10,000 and 50,000 mailboxes, each with half as many aliases
    python bench/plan.py 2000 4000       other sizes

For each size two plans are timed as a user has them, process start and output included: the first (everything is to
be made on the new server) and one where everything stands there already (nothing to do). Medians of five; the columns
beside them are the time per mailbox against the smallest size: 1.0 or less is linear. The last line is the start-up of
`reconciler --help`.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
HASH = "{SHA512-CRYPT}$6$f2glOrRnTe8v53SX$" + "WI5G.TaY7GLYia3ZkYrDI4vmWVQatBoSLED9Ni70qwr" * 2
SPEC = """\
domain: example.org
stage: prepare
old:
  backend: postfix_dovecot
  options: {passwd_file: old/users, virtual_alias_maps: old/virtual, map_type: texthash, mail_home: old/vmail/%d/%n}
  mx: 10 mail.old.example
  senders: [ip4:192.0.2.10]
new:
  backend: postfix_dovecot
  options: {passwd_file: new/users, virtual_alias_maps: new/virtual, map_type: texthash, mail_home: new/vmail/%d/%n}
  mx: 10 mail.new.example
  senders: [ip4:198.51.100.7]
dns:
  backend: zonefile
  options: {file: zone}
"""
ZONE = """\
$ORIGIN example.org.
$TTL 86400
@ IN SOA ns1.example.net. hostmaster.example.net. 1 7200 3600 1209600 3600
  IN NS ns1.example.net.
  IN MX 10 mail.old.example.
  IN TXT "v=spf1 ip4:192.0.2.10 -all"
"""


def world(folder: Path, mailboxes: int) -> None:
    """A spec of that many mailboxes and half as many aliases, an old server that has them, and an empty new one."""
    boxes = [f"user{n:06d}@example.org" for n in range(mailboxes)]
    aliases = {f"alias{n:06d}@example.org": boxes[n] for n in range(mailboxes // 2)}
    spec = [SPEC, "mailboxes:\n"]
    spec += [f"  - address: {box}\n    name: User {n}\n    quota: 5 GiB\n" for n, box in enumerate(boxes)]
    spec += ["aliases:\n", *(f"  {alias}: [{target}]\n" for alias, target in aliases.items())]
    (folder / "migration.yaml").write_text("".join(spec))
    (folder / "zone").write_text(ZONE)
    for name in ("old", "new"):
        (folder / name).mkdir()
    (folder / "old" / "users").write_text("".join(f"{box}:{HASH}:::::\n" for box in boxes))
    (folder / "old" / "virtual").write_text("".join(f"{alias} {target}\n" for alias, target in aliases.items()))
    (folder / "new" / "users").write_text("")
    (folder / "new" / "virtual").write_text("")


def settle(folder: Path, mailboxes: int) -> None:
    """Write the new server's files as apply leaves them."""
    boxes = [f"user{n:06d}@example.org" for n in range(mailboxes)]
    quota = f"userdb_quota_rule=*:bytes={5 * 1024**3}"
    lines = (f"{box}:{HASH}:::User {n}:::{quota}\n" for n, box in enumerate(boxes))
    (folder / "new" / "users").write_text("".join(lines))
    (folder / "new" / "virtual").write_text((folder / "old" / "virtual").read_text())


def reconciler(*arguments: str, cwd: Path) -> tuple[int, float]:
    """Exit code and wall-clock seconds of one call."""
    program = Path(sys.executable).with_name("reconciler")
    start = time.perf_counter()
    done = subprocess.run([program, *arguments], cwd=cwd, stdout=subprocess.DEVNULL, check=False)
    return done.returncode, time.perf_counter() - start


def timed(expected: int, *arguments: str, cwd: Path) -> float:
    """The median of several calls, all of which must exit as expected."""
    times = []
    for _ in range(ROUNDS):
        code, seconds = reconciler(*arguments, cwd=cwd)
        if code != expected:
            sys.exit(f"reconciler {' '.join(arguments)} exited with {code}, not {expected}")
        times.append(seconds)
    return statistics.median(times)


def main(sizes: list[int]) -> None:
    columns = ("first plan", "per mailbox", "settled plan", "per mailbox")
    print(f"{'mailboxes':>10} {'aliases':>8}", *(f"{column:>12}" for column in columns))
    base: tuple[float, float] | None = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            world(folder, size)
            first = timed(2, "plan", "migration.yaml", cwd=folder)
            settle(folder, size)
            settled = timed(0, "plan", "migration.yaml", cwd=folder)
        base = base or (first / size, settled / size)
        growth = first / size / base[0], settled / size / base[1]
        print(
            f"{size:>10,} {size // 2:>8,} {first:>10.2f} s {growth[0]:>11.2f}x {settled:>10.2f} s {growth[1]:>11.2f}x",
            flush=True,
        )
    print(f"reconciler --help: {timed(0, '--help', cwd=Path.cwd()):.2f} s")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1_000, 10_000, 50_000])
