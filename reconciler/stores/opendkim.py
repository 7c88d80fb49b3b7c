"""DKIM keys as OpenDKIM finds them: a key file, its row in the KeyTable, and who signs with it in the SigningTable.

The key that was made last signs: OpenDKIM uses the first row that matches, so a new one goes before every row that
matches the whole domain, and those stay behind it (with MultipleSignatures they go on signing).
"""

import os.path
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import PurePath

from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.errors import ObserveError, ReconcilerError, SecretError, WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server import dkim_key_file
from reconciler.formats.mail_server.line_text import Edit, Text
from reconciler.formats.mail_server.opendkim_tables import KeyRow, KeyTable, SigningRow, SigningTable, first_for
from reconciler.model.change import Change
from reconciler.resources.server.dkim_key import DkimKey, Use, key_name
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.line_file import LineFile
from reconciler.stores.under_lock import under_lock


@dataclass(frozen=True, slots=True)
class OpenDkimFiles:
    """What OpenDKIM reads; ``pattern`` is the first column of our SigningTable rows, ``reload`` makes it look again."""

    keys: LineFile[KeyTable]
    signers: LineFile[SigningTable]
    keys_dir: PurePath
    pattern: str
    reload: tuple[str, ...] = ()


class DkimKeyStore:
    """The keys of one domain that OpenDKIM signs with, or could. Keys that are not RSA are not shown."""

    batch = 1

    def __init__(self, context: Context, files: OpenDkimFiles) -> None:
        """The key files are read as the user who runs this."""
        self._context = context
        self._files = files
        self._transport = files.keys.transport

    def read(self, names: Collection[str] | None = None) -> Iterator[DkimKey]:
        """The keys of the domain that stand in any of the three places, with their public halves."""
        keys = self._files.keys.read()
        used = {row.key for row in self._files.signers.read().rows if row.signs_for(self._context.domain)}
        for row in keys.rows.values():
            name = key_name(row.selector, self._context.domain)
            if names is None or name in names:
                found = self._named(name, row, "signing" if row.name in used else "table")
                if found:
                    yield found
        for selector in self._selectors_of_files(names):
            if selector not in keys.rows and (public := self._public_in(self._own_path(selector))):
                name = key_name(selector, self._context.domain)
                yield DkimKey(place=self._context.place, name=name, public=public, use="file")

    def locked(self) -> AbstractContextManager[None]:
        """The locks of both tables; a key file belongs to its row."""
        return self._files.keys.locked(self._files.signers)

    @under_lock
    def write(self, changes: Sequence[Change], /) -> None:
        """Make a key and sign with it, or take back what of it was made."""
        names = {change.address.name for change in changes}
        verify(changes, {key.name: key for key in self.read(names)}, self._files.keys.path, unread=["source", "bits"])
        for change in changes:
            before, after = change.before, change.after
            there = before if isinstance(before, DkimKey) else None
            if isinstance(after, DkimKey):
                if there and there.public and after.public and there.public != after.public:
                    raise WriteError(
                        f"{change.address} is not replaced: mail signed with the old key is still under way; use "
                        "another selector. Nothing was written"
                    )
                if there is None or not there.reaches(after.use):
                    self._use(after, there)
                    continue
            if there:
                self._give_up(there, after if isinstance(after, DkimKey) else None)

    def _use(self, wanted: DkimKey, there: DkimKey | None) -> None:
        """Add what is missing of file, KeyTable row and SigningTable row, as far as is wanted."""
        keys, signers = self._files.keys.fresh(), self._files.signers.fresh()
        row = keys.rows.get(wanted.selector)
        path = self._path(row) if row else self._own_path(wanted.selector)
        if path is None and (there is None or wanted.source not in {"generate", None}):
            raise WriteError(
                f"{wanted.address} cannot be made: {keys.text.path} has a row for it with the key itself in it; "
                "remove the row or put the key into a file. Nothing was written"
            )
        waiting = next((signer for signer in signers.rows if row is None and signer.key == wanted.name), None)
        if waiting:
            raise WriteError(
                f"{wanted.address} cannot be made: {signers.text.path}:{waiting.index + 1} names it already, and would "
                "sign with it from then on; remove that row. Nothing was written"
            )
        key, is_new = self._wanted_key(wanted, path) if path else (None, False)
        signing, naming = Edit(signers.text), Edit(keys.text)
        if row is None and wanted.reaches("table"):
            naming.append(f"{wanted.name} {wanted.domain}:{wanted.selector}:{path}")
        if wanted.reaches("signing"):
            line = f"{self._files.pattern} {row.name if row else wanted.name}"
            before = first_for(signers, self._context.domain)
            if before is None:
                signing.append(line)
            else:
                signing.insert(before, line)
        owner = self._transport.stat(self._files.keys_dir) or self._transport.stat(self._files.keys.path)
        with Attempt(self._transport) as attempt:
            if key and path and is_new:
                private = dkim_key_file.pem(key)
                attempt.write(path, private.reveal().encode(), like=owner and replace(owner, mode=0o600), mode=0o600)
            self._write_if_changed(attempt, keys.text, naming)
            self._write_if_changed(attempt, signers.text, signing)
            self._reload(attempt)

    def _give_up(self, there: DkimKey, left: DkimKey | None) -> None:
        """Take away the rows and the file that go beyond what is left.

        Raises:
            WriteError: one of them is not as it was made here, or others count on it; nothing was written.

        """
        keys, signers = self._files.keys.fresh(), self._files.signers.fresh()
        row = keys.rows.get(there.selector)
        path = self._path(row) if row else self._own_path(there.selector)
        signing, naming = Edit(signers.text), Edit(keys.text)
        if row and not (left and left.reaches("signing")):
            for signer in self._own_signers(there, row, left, signers):
                signing.replace(signer.index)
        if row and not (left and left.reaches("table")):
            if row.name != there.name or not row.bare or path != self._own_path(there.selector):
                raise _not_removed(there, keys.text, row.index, "is not the row that is made here")
            naming.replace(row.index)
        removed = path if left is None or left.public is None else None
        if removed:
            user = next((r for r in (*keys.rows.values(), *keys.others) if r != row and self._path(r) == removed), None)
            if user:
                raise _not_removed(there, keys.text, user.index, f"names its file {removed} too")
        with Attempt(self._transport) as attempt:
            self._write_if_changed(attempt, signers.text, signing)
            self._write_if_changed(attempt, keys.text, naming)
            if removed:
                attempt.remove(removed)
            self._reload(attempt)

    def _own_signers(
        self, there: DkimKey, row: KeyRow, left: DkimKey | None, signers: SigningTable
    ) -> Sequence[SigningRow]:
        """Our rows; every other one that uses the key must still find it, or must not count for the domain."""
        using = [signer for signer in signers.rows if signer.key == row.name]
        own = [signer for signer in using if signer.pattern == self._files.pattern and signer.bare]
        for signer in using:
            if signer not in own and (left is None or left.use == "file" or signer.signs_for(self._context.domain)):
                raise _not_removed(there, signers.text, signer.index, f"signs {signer.pattern} with it too")
        return own

    def _write_if_changed(self, attempt: Attempt, text: Text, edit: Edit) -> None:
        content = edit.content()
        if content != text.content and not (text.content is None and content is None):
            attempt.write(text.path, content, mode=0o644, over=edit.over)

    def _wanted_key(self, wanted: DkimKey, path: PurePath) -> tuple[rsa.RSAPrivateKey, bool]:
        """The key to sign with, and whether it is still to be written: one that is there is never replaced."""
        standing = self._transport.read(path)
        try:
            there = dkim_key_file.loaded(standing) if standing is not None else None
        except ValueError as error:
            raise WriteError(f"{wanted.address} cannot be made: {path} is there, but {error}; move it away") from None
        if wanted.source is None and there and dkim_key_file.public(there) == wanted.public:
            return there, False
        if wanted.source is None:
            raise WriteError(
                f"{wanted.address} cannot be made again: its private half is gone; choose another selector, so that "
                "the DNS can hold both"
            )
        if wanted.source == "generate":
            return (there, False) if there else (dkim_key_file.generated(wanted.bits), True)
        try:
            given = dkim_key_file.loaded(self._context.secrets.reveal(wanted.source).reveal().encode())
        except (SecretError, ValueError) as error:
            raise WriteError(f"{wanted.address} cannot be made from {wanted.source}: {error}") from None
        if there and dkim_key_file.public(there) != dkim_key_file.public(given):
            raise WriteError(
                f"{wanted.address} cannot be made from {wanted.source}: {path} holds another key, and a key that "
                "exists is not replaced; choose another selector or move the file away"
            )
        return given, there is None

    def _path(self, row: KeyRow) -> PurePath | None:
        """The key file of a row; None where the row holds the key itself."""
        return PurePath(os.path.normpath(self._context.base / row.where)) if row.is_path else None

    def _own_path(self, selector: str) -> PurePath:
        """The key file that is made here."""
        return self._files.keys_dir / f"{selector}{self._ending}"

    @property
    def _ending(self) -> str:
        return f".{self._context.domain}.private"

    def _selectors_of_files(self, names: Collection[str] | None) -> Iterator[str]:
        """The selectors that may have a key file of the form that is made here."""
        if names is not None:
            for name in sorted(names):
                selector, _, domain = name.partition("._domainkey.")
                if domain == self._context.domain:
                    yield selector
        elif self._transport.stat(self._files.keys_dir):
            try:
                ls = self._transport.which("ls") or "/bin/ls"  # where the PATH of this process leads nowhere
                listed = self._transport.run((ls, "-1", "--", str(self._files.keys_dir)))
            except ReconcilerError as error:
                raise ObserveError(f"the key files cannot be seen: {error}") from error
            for file in listed.decode("utf-8", "surrogateescape").splitlines():
                if file.endswith(self._ending):
                    yield file.removesuffix(self._ending)

    def _public_in(self, path: PurePath) -> str | None:
        """The public half of a key file that nothing names; None where there is none, or none to sign with."""
        content = self._transport.read(path)
        try:
            return dkim_key_file.public(dkim_key_file.loaded(content)) if content else None
        except ValueError:
            return None

    def _named(self, name: str, row: KeyRow, use: Use) -> DkimKey | None:
        """The key that a row names: one in use must be there, another one may be still to come."""
        where = f"{self._files.keys.path}:{row.index + 1}"
        path = self._path(row)
        content = self._transport.read(path) if path else row.where.encode()
        if content is None and use == "signing":
            raise ObserveError(f"{where}: the key file {path} is not there, so nothing is signed; mend the row")
        try:
            public = None if content is None else dkim_key_file.public(dkim_key_file.loaded(content))
        except dkim_key_file.NotRsa:
            return None
        except ValueError as error:
            if use != "signing":
                return None
            raise ObserveError(f"{where}: {path or 'the key in the row'} cannot be used: {error}; mend it") from None
        return DkimKey(place=self._context.place, name=name, public=public, use=use)

    def _reload(self, attempt: Attempt) -> None:
        if self._files.reload:
            attempt.run(self._files.reload, again=True)


def _not_removed(key: DkimKey, text: Text, index: int, why: str) -> WriteError:
    return WriteError(
        f"{key.address} is not removed: {text.path}:{index + 1} {why}; if it may go, change that row and apply again. "
        "Nothing was written"
    )
