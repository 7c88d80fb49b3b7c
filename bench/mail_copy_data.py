"""Mailboxes for the benchmark, the same for the same seed, and their comparison from the files on disk."""

import hashlib
import math
import os
import random
import shutil
from collections import Counter
from pathlib import Path

from reconciler.mailcopy.model import utf7
from tests.lab.dovecot import Dovecot

FOLDERS = (
    "", "Work", "Work.2019", "Work.2019.Q1", "Projekte", "Projekte.Größe & Maße", "日本語", "日本語.メール",
    "Zażółć gęślą", "Archive", "Lists", "Lists.dev",
)  # fmt: skip
KEYWORDS = ("$Forwarded", "NonJunk", "own-label")


def make(server: Dovecot, user: str, messages: int, seed: int, folders: tuple[str, ...] = FOLDERS) -> int:
    """Write the mailbox; sizes are log-normal with a median of 7.8 kB (p90 63 kB), gives the octets."""
    chance = random.Random(seed)
    root = server.maildir(user)
    octets = 0
    for name in folders:
        folder = folder_of(root, name)
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if name:
            (folder / "maildirfolder").touch()
        (folder / "dovecot-keywords").write_text("".join(f"{n} {word}\n" for n, word in enumerate(KEYWORDS)))
    filler = chance.randbytes(4 << 20).translate(bytes(32 + i % 95 if i % 64 else 10 for i in range(256)))
    for number in range(messages):
        size = min(2_900_000, int(math.exp(chance.gauss(math.log(7_800), 1.63))))
        octets += write(folder_of(root, chance.choice(folders)), number, chance, filler, size)
    server.own(root.parent)
    return octets


def make_many_small(server: Dovecot, user: str, messages: int) -> None:
    """One INBOX with very many messages."""
    chance = random.Random(7)
    root = server.maildir(user)
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True)
    (root / "dovecot-keywords").write_text("".join(f"{n} {word}\n" for n, word in enumerate(KEYWORDS)))
    for number in range(messages):
        write(root, number, chance, b"a short line of text that says little\n" * 30, chance.randrange(200, 1000))
    server.own(root.parent)


def write(folder: Path, number: int, chance: random.Random, filler: bytes, size: int) -> int:
    mid = number if chance.random() > 0.02 else number // 50
    head = b"" if chance.random() < 0.02 else b"Message-ID: <%d@bench.example>\n" % mid
    start = chance.randrange(max(1, len(filler) - size))
    content = head + b"From: ann@example.org\nSubject: number %d\n\n" % number + filler[start : start + size]
    flags = "".join(f for f in "FRSabc" if chance.random() < 0.2)
    file = folder / "cur" / f"{1_500_000_000 + number}.M{number}.bench:2,{flags}"
    file.write_bytes(content)
    received = chance.randrange(1_200_000_000, 1_780_000_000)
    os.utime(file, (received, received))
    return len(content)


def folder_of(root: Path, name: str) -> Path:
    return root / ("." + utf7.encode(name).decode("ascii")) if name else root


def wipe(server: Dovecot, user: str) -> None:
    shutil.rmtree(server.root / "mail" / user, ignore_errors=True)


def on_disk(server: Dovecot, user: str) -> Counter[tuple[str, bytes, str, int]]:
    """Folder, digest of the content, flags with keywords, time: what the files themselves say."""
    root = server.maildir(user)
    found: Counter[tuple[str, bytes, str, int]] = Counter()
    for folder in [root, *(f for f in root.iterdir() if f.name.startswith(".") and f.is_dir())]:
        name = utf7.decode(folder.name.removeprefix(".").encode()) if folder != root else ""
        words = folder / "dovecot-keywords"
        lines = words.read_text().splitlines() if words.exists() else []
        letters = {chr(97 + int(line.split(" ")[0])): line.split(" ", 1)[1] for line in lines}
        for file in [*(folder / "cur").iterdir(), *(folder / "new").iterdir()]:
            flags = file.name.partition(":2,")[2]
            digest = hashlib.sha256(file.read_bytes().replace(b"\r", b"")).digest()
            plain = ",".join(sorted(letters.get(flag, flag) for flag in flags))
            found[name, digest, plain, int(file.stat().st_mtime)] += 1
    return found
