"""Secrets by reference: from the environment, files, programs, the old server and the file of generated passwords."""

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reconciler.errors import SecretError, SpecError
from reconciler.model.secret import Secret, parse_reference
from reconciler.spec.mailbox_csv import secrets_of, split_row_reference
from reconciler.spec.owner_only import complaint
from reconciler.spec.text_file import read_text
from reconciler.transports.generated_passwords import GeneratedPasswords

_LARGEST: Final = 64 * 1024  # octets; the longest RSA key in PEM takes four thousand
_PATIENCE: Final = 30.0  # seconds for a program, long enough to unlock a password store


class ReferencedSecrets:
    """Implements ports.Secrets; what is looked up in a CSV file is read once, everything else each time.

    ``base`` is the spec's folder. ``generated`` is the file of generated passwords, ``password_hash`` what shows a
    hash of the old server; without them ``generate:`` and ``keep:`` are errors.
    """

    def __init__(
        self,
        base: Path,
        *,
        generated: Path | None = None,
        password_hash: Callable[[str], Secret] | None = None,
        environment: Mapping[str, str] | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        """Read nothing yet."""
        self._base = base
        self._generated = GeneratedPasswords(base / generated) if generated else None
        self._password_hash = password_hash
        self._environment = os.environ if environment is None else environment
        self._patience = patience
        self._tables: dict[Path, tuple[tuple[int, ...], dict[tuple[str, str], Secret]]] = {}

    def reveal(self, reference: str, /) -> Secret:
        """The secret behind ``env:``, ``file:``, ``command:``, ``keep:ADDRESS`` or ``generate:ADDRESS``.

        Raises:
            SecretError: there is none; names the reference, and never holds any of the secret.

        """
        scheme, _, address = reference.partition(":")
        if scheme == "keep":
            return self._kept(address)
        if scheme == "generate":
            return self._made(address)
        try:
            scheme, rest = parse_reference(reference)
        except ValueError:
            scheme, rest = "", ""
        match scheme:
            case "env":
                return self._of_environment(rest)
            case "file":
                row = split_row_reference(rest)
                return self._of_row(*row) if row else self._of_file(rest)
            case "command":
                return self._of_command(rest)
            case _:
                raise SecretError("this is no secret reference: expected env:NAME, file:PATH or command: PROGRAM …")

    def _kept(self, address: str) -> Secret:
        if self._password_hash is None:
            raise SecretError(
                f"the password of {address} cannot be kept: the old server shows no password hashes; in the spec give "
                "'password: generate', or a reference (env:, file:, command:) to the password to set"
            )
        return self._password_hash(address)

    def _made(self, address: str) -> Secret:
        if self._generated is None:
            raise SecretError(
                f"no password was generated for {address}: nobody would learn it; name the file that gets it, as in "
                "'generated_passwords: passwords.csv'"
            )
        return self._generated.password(address)

    def _of_environment(self, name: str) -> Secret:
        value = self._environment.get(name, "")
        if not value:
            raise SecretError(f"env:{name}: the environment variable {name} is not set or empty; set it and run again")
        return Secret(value)

    def _of_file(self, named: str) -> Secret:
        path = self._base / named
        octets = b""
        wrong = ""
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                wrong = complaint(path, found.st_mode) or ""
                octets = b"" if wrong else file.read(_LARGEST + 1)
        except (OSError, ValueError) as error:
            wrong = f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no path'}"
        if wrong:
            raise SecretError(f"file:{named}: {wrong}")
        if len(octets) > _LARGEST:
            raise SecretError(f"file:{named}: {path} is larger than {_LARGEST >> 10} KiB: is it the right file?")
        return _text(octets, f"file:{named}: {path}")

    def _of_row(self, named: str, address: str, column: str) -> Secret:
        path = self._base / named
        shown = f"file:{named}#{address}"
        wrong = ""
        table: dict[tuple[str, str], Secret] = {}
        try:
            found = path.stat()
            wrong = complaint(path, found.st_mode) or ""
            table = {} if wrong else self._table(path, found)
        except OSError as error:
            wrong = f"{path} cannot be read: {error.strerror}"
        except (SpecError, ValueError) as error:
            wrong = str(error)
        if wrong:
            raise SecretError(f"{shown}: {wrong}")
        secret = table.get((address, column))
        if secret is None:
            raise SecretError(f"{shown}: {path} has no row for {address} with something in its column {column}")
        return secret

    def _table(self, path: Path, found: os.stat_result) -> dict[tuple[str, str], Secret]:
        """Read again only when the file has changed: there may be fifty thousand rows."""
        signature = (found.st_ino, found.st_size, found.st_mtime_ns)
        known = self._tables.get(path)
        if known is None or known[0] != signature:
            cells = {(address, column): Secret(cell) for address, column, cell in secrets_of(read_text(path))}
            known = self._tables[path] = signature, cells
        return known[1]

    def _of_command(self, line: str) -> Secret:
        try:
            argv = shlex.split(line)
        except ValueError:
            argv = []
        if not argv:
            raise SecretError("command: the words of this reference cannot be told apart: is a quote not closed?")
        # an argument may be a secret, and so may what the program prints: only its name is shown
        shown = f"command: {argv[0]} …"
        output, wrong = b"", ""
        try:
            done = subprocess.run(  # noqa: S603 - the program that the spec's author names, without a shell
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._patience,
                cwd=self._base,
                check=False,
            )
            output = done.stdout
            wrong = f"it ended with status {done.returncode}; run it yourself to see why" if done.returncode else ""
        except subprocess.TimeoutExpired:
            wrong = f"it gave no answer within {self._patience:g} seconds; does it ask for something?"
        except (OSError, ValueError) as error:
            wrong = f"it cannot be run: {getattr(error, 'strerror', None) or 'a word of it is unusable'}"
        if wrong:
            raise SecretError(f"{shown}: {wrong}")
        return _text(output, shown)


def _text(octets: bytes, shown: str) -> Secret:
    """The secret without the line end that editors and ``echo`` add; ``shown`` names where it is from."""
    text = octets.decode("utf-8", errors="replace")
    if text.encode("utf-8") != octets:
        raise SecretError(f"{shown}: what is there is not UTF-8 text")
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretError(f"{shown}: there is nothing in it, and an empty password lets anybody in")
    return Secret(secret)
