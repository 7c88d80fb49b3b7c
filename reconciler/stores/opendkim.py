"""DKIM keys as OpenDKIM finds them: a key file, its row in the KeyTable, and who signs with it in the SigningTable.

The key that was made last signs: OpenDKIM uses the first row that matches, so a new one goes before every row that
matches the whole domain, and those stay behind it (with MultipleSignatures they go on signing).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.errors import ObserveError, SecretError, WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server import dkim_key_file
from reconciler.formats.mail_server.line_text import Edit
from reconciler.formats.mail_server.opendkim_tables import KeyRow, KeyTable, SigningTable, first_for
from reconciler.model.change import Change
from reconciler.resources.server.dkim_key import DkimKey, key_name
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.line_file import LineFile


@dataclass(frozen=True, slots=True)
class OpenDkimFiles:
    """What OpenDKIM reads; ``pattern`` is the first column of our SigningTable rows, ``reload`` makes it look again."""

    keys: LineFile[KeyTable]
    signers: LineFile[SigningTable]
    keys_dir: PurePath
    pattern: str
    reload: tuple[str, ...] = ()


class DkimKeyStore:
    """The keys of one domain that OpenDKIM signs with. Keys that are not RSA are not shown."""

    batch = 1

    def __init__(self, context: Context, files: OpenDkimFiles) -> None:
        """The key files are read as the user who runs this."""
        self._context = context
        self._files = files
        self._transport = files.keys.transport

    def read(self, names: Collection[str] | None = None) -> Iterator[DkimKey]:
        """The keys that the SigningTable uses, with their public halves."""
        keys = self._files.keys.read()
        used = {row.key for row in self._files.signers.read().rows}
        for row in keys.rows.values():
            name = key_name(row.selector, self._context.domain)
            if row.name in used and (names is None or name in names):
                key = self._key_of(row)
                if key:
                    yield DkimKey(place=self._context.place, name=name, public=dkim_key_file.public(key))

    def write(self, changes: Sequence[Change], /) -> None:
        """Make a key and sign with it, or stop signing and remove it."""
        names = {change.address.name for change in changes}
        verify(changes, {key.name: key for key in self.read(names)}, self._files.keys.path, unread=["source", "bits"])
        for change in changes:
            if change.before is None and isinstance(change.after, DkimKey):
                self._create(change.after)
            elif change.after is None and isinstance(change.before, DkimKey):
                self._delete(change.before)
            else:
                raise WriteError(
                    f"{change.address} is not replaced: mail signed with the old key is still under way; use another "
                    "selector. Nothing was written"
                )

    def _create(self, wanted: DkimKey) -> None:
        keys, signers = self._files.keys.fresh(), self._files.signers.fresh()
        row = keys.rows.get(wanted.selector)
        path = self._path(row) if row else self._files.keys_dir / f"{wanted.selector}.{wanted.domain}.private"
        if path is None:
            raise WriteError(
                f"{wanted.address} cannot be made: {keys.text.path} has a row for it with the key itself in it; "
                "remove the row or put the key into a file. Nothing was written"
            )
        key, is_new = self._wanted_key(wanted, path)
        pattern = self._files.pattern
        signing, naming = Edit(signers.text), Edit(keys.text)
        if row is None:
            naming.append(f"{wanted.name} {wanted.domain}:{wanted.selector}:{path}")
        line = f"{pattern} {row.name if row else wanted.name}"
        before = first_for(signers, self._context.domain)
        if before is None:
            signing.append(line)
        else:
            signing.insert(before, line)
        owner = self._transport.stat(self._files.keys_dir) or self._transport.stat(self._files.keys.path)
        with Attempt(self._transport) as attempt:
            if is_new:
                private = dkim_key_file.pem(key)
                attempt.write(path, private.reveal().encode(), like=owner and replace(owner, mode=0o600), mode=0o600)
            if row is None:
                attempt.write(self._files.keys.path, naming.content(), mode=0o644)
            attempt.write(self._files.signers.path, signing.content(), mode=0o644)
            self._reload(attempt)

    def _delete(self, standing: DkimKey) -> None:
        keys, signers = self._files.keys.fresh(), self._files.signers.fresh()
        row = keys.rows[standing.selector]
        own = [signer for signer in signers.rows if signer.key == row.name and signer.pattern == self._files.pattern]
        others = [signer for signer in signers.rows if signer.key == row.name and signer not in own]
        if others:
            raise WriteError(
                f"{standing.address} is not removed: {signers.text.path}:{others[0].index + 1} signs "
                f"{others[0].pattern} with it too; change that row and apply again. Nothing was written"
            )
        signing, naming = Edit(signers.text), Edit(keys.text)
        for signer in own:
            signing.replace(signer.index)
        naming.replace(row.index)
        path = self._path(row)
        with Attempt(self._transport) as attempt:
            attempt.write(self._files.signers.path, signing.content())
            attempt.write(self._files.keys.path, naming.content())
            if path and path.parent == self._files.keys_dir:
                attempt.remove(path)
            self._reload(attempt)

    def _wanted_key(self, wanted: DkimKey, path: PurePath) -> tuple[rsa.RSAPrivateKey, bool]:
        """The key to sign with, and whether it is still to be written: one that is there is never replaced."""
        standing = self._transport.read(path)
        try:
            there = dkim_key_file.loaded(standing) if standing is not None else None
        except ValueError as error:
            raise WriteError(f"{wanted.address} cannot be made: {path} is there, but {error}; move it away") from None
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
        return self._context.base / row.where if row.where.startswith(("/", ".")) else None

    def _key_of(self, row: KeyRow) -> rsa.RSAPrivateKey | None:
        where = f"{self._files.keys.path}:{row.index + 1}"
        path = self._path(row)
        content = self._transport.read(path) if path else row.where.encode()
        if content is None:
            raise ObserveError(f"{where}: the key file {path} is not there, so nothing is signed; mend the row")
        try:
            return dkim_key_file.loaded(content)
        except dkim_key_file.NotRsa:
            return None
        except ValueError as error:
            raise ObserveError(f"{where}: {path or 'the key in the row'} cannot be used: {error}; mend it") from None

    def _reload(self, attempt: Attempt) -> None:
        if self._files.reload:
            attempt.run(self._files.reload, again=True)
