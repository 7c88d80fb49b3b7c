"""The file of generated passwords: written before a password is used, so that none is ever lost."""

import csv
import io
import os
import secrets
from pathlib import Path
from typing import Final

from reconciler.errors import SecretError
from reconciler.model.secret import Secret
from reconciler.spec.owner_only import complaint

_LENGTH: Final = 24  # characters of 53: 137 bits
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ2346789"  # without 0Oo 1Il 5S B, misread on paper
_HEADER: Final = "address,password\n"


class GeneratedPasswords:
    """A CSV of address and password, readable by its owner alone; rows are only ever added.

    Asked again for an address it gives the same password: a run that was killed between writing the row and making the
    account goes on with that row.
    """

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        self._path = path
        self._seen: tuple[int, ...] = ()
        self._known: dict[str, Secret] = {}

    def password(self, address: str) -> Secret:
        """The password of an address, made and written to disk if there was none.

        Raises:
            SecretError: the file cannot be read or written, or others can read it.

        """
        wrong = ""
        try:
            made = not self._path.exists()
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                wrong = complaint(self._path, os.fstat(descriptor).st_mode) or ""
                if not wrong:
                    self._read(descriptor)
                    if address not in self._known:
                        self._add(descriptor, address)
                    if made:
                        _flush_directory(self._path.parent)
            finally:
                os.close(descriptor)
        except (OSError, ValueError, csv.Error) as error:
            reason = getattr(error, "strerror", None) or "it is not a file of addresses and passwords"
            wrong = f"{self._path} cannot be used: {reason}"
        if wrong:
            raise SecretError(f"no password was generated for {address}: {wrong}")
        return self._known[address]

    def _read(self, descriptor: int) -> None:
        """Only rows that end in a line end count: one that was cut short by a crash was never given out."""
        if _signature(descriptor) == self._seen:
            return
        content = bytearray()
        while chunk := os.pread(descriptor, 1 << 20, len(content)):
            content += chunk
        whole = content[: content.rfind(b"\n") + 1].decode("ascii", errors="replace")
        rows = [row for row in csv.reader(io.StringIO(whole, newline="")) if len(row) == 2]  # noqa: PLR2004 - two columns
        self._known = {address: Secret(password) for address, password in rows if "@" in address and password}
        self._seen = _signature(descriptor)

    def _add(self, descriptor: int, address: str) -> None:
        size = os.fstat(descriptor).st_size
        cut_short = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        secret = Secret("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))
        lead = "\n" if cut_short else "" if size else _HEADER
        row = f"{lead}{address},{secret.reveal()}\n".encode("ascii")
        while row:
            row = row[os.write(descriptor, row) :]
        os.fsync(descriptor)
        self._known[address] = secret
        self._seen = _signature(descriptor)


def _signature(descriptor: int) -> tuple[int, ...]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _flush_directory(folder: Path) -> None:
    """A new file is there after a power failure only once its folder is on disk (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
