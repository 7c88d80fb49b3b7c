"""Aliases and the catch-all in Postfix's virtual_alias_maps."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import PurePath
from typing import Final

from reconciler.errors import WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.line_text import Edit
from reconciler.formats.mail_server.virtual_map import (
    Map,
    keep_from_catch_all,
    laid_out,
    layout,
    line,
    put_back,
    remove,
    retarget,
)
from reconciler.model.change import Change
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.stores.accounts_file import AccountsFile
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.postfix_map import PostfixMap
from reconciler.stores.under_lock import under_lock

BATCH: Final = 500


class AliasStore:
    """The entries of one domain but the catch-all and what only keeps mailboxes from it."""

    batch = BATCH

    def __init__(self, context: Context, file: PostfixMap[Map], accounts: AccountsFile) -> None:
        """``accounts`` tells which addresses are mailboxes."""
        self._context = context
        self._file = file
        self._accounts = accounts

    def read(self, names: Collection[str] | None = None) -> Iterator[Alias]:
        """The aliases in file order."""
        standing = self._file.file.read()
        for key in standing.by_key:
            if key[0] != "@" and (names is None or key in names):
                yield self._alias(standing, key)

    def locked(self) -> AbstractContextManager[None]:
        """The map's lock."""
        return self._file.file.locked()

    @under_lock
    def write(self, changes: Sequence[Change], /) -> None:
        """Add, change or remove aliases.

        Where a catch-all stands, a mailbox whose alias goes gets its self entry back, so that it keeps its mail.
        """
        standing = self._file.file.fresh()
        found = {
            key: self._alias(standing, key) for change in changes if (key := change.address.name) in standing.by_key
        }
        verify(changes, found, self._file.path)
        edit = _edited(standing, {change.address.name: change for change in changes}, self._file.path)
        if f"@{self._context.domain}" in standing.by_key:
            added = {change.address.name for change in changes if change.before is None}
            freed = {change.address.name for change in changes if change.after is None}
            kept = {*(standing.block.kept if standing.block else ()), *freed} - added
            mailboxes = self._accounts.file.read().by_address
            keep_from_catch_all(edit, standing, self._context.domain, [name for name in mailboxes if name in kept])
        _write(self._file, edit)

    def _alias(self, standing: Map, key: str) -> Alias:
        entry = standing.by_key[key]
        stored = layout(standing.text, entry)
        return Alias(place=self._context.place, name=key, targets=entry.targets, stored=stored)


class CatchAllStore:
    """The ``@domain`` entry of one domain, and the block that keeps its mailboxes from it."""

    batch = 1

    def __init__(self, context: Context, file: PostfixMap[Map], accounts: AccountsFile) -> None:
        """``accounts`` tells which addresses are mailboxes."""
        self._context = context
        self._file = file
        self._accounts = accounts
        self._key = f"@{context.domain}"

    def read(self, names: Collection[str] | None = None) -> Iterator[CatchAll]:  # noqa: ARG002 - one at most
        """The catch-all, if there is one."""
        yield from self._found(self._file.file.read())

    def locked(self) -> AbstractContextManager[None]:
        """The map's lock."""
        return self._file.file.locked()

    @under_lock
    def write(self, changes: Sequence[Change], /) -> None:
        """Make, change or remove it.

        Made, it does not take the mail of mailboxes that stand without an entry; one that was there already goes on
        treating them as it did.
        """
        standing = self._file.file.fresh()
        verify(changes, {catch_all.name: catch_all for catch_all in self._found(standing)}, self._file.path)
        edit = _edited(standing, dict(zip([self._key], changes, strict=True)), self._file.path)
        for change in changes:
            mailboxes = self._accounts.file.read().by_address
            if change.before is None:
                kept = [name for name in mailboxes if name not in standing.by_key]
                keep_from_catch_all(edit, standing, self._context.domain, kept)
            elif change.after is None:
                keep_from_catch_all(edit, standing, self._context.domain, [])
        _write(self._file, edit)

    def _found(self, standing: Map) -> Iterable[CatchAll]:
        entry = standing.by_key.get(self._key)
        if entry:
            stored = layout(standing.text, entry)
            yield CatchAll(place=self._context.place, name=self._context.domain, targets=entry.targets, stored=stored)


def _edited(standing: Map, changes: Mapping[str, Change], path: PurePath) -> Edit:
    """The changes laid over the entries, by key; one that is put back gets the lines that it had."""
    edit = Edit(standing.text)
    for key, change in changes.items():
        after = change.after
        try:
            if not isinstance(after, Alias | CatchAll):
                remove(edit, standing.by_key[key])
                continue
            pieces = laid_out(after.stored, key, after.targets)
            if change.before is None:
                edit.append(*(chain(*pieces) if pieces else [line(key, after.targets)]))
            elif pieces:
                put_back(edit, standing.text, standing.by_key[key], pieces)
            else:
                retarget(edit, standing.text, standing.by_key[key], after.targets)
        except ValueError as error:
            raise WriteError(f"{change.address} cannot be written to {path}: {error}. Nothing was written") from error
    return edit


def _write(file: PostfixMap[Map], edit: Edit) -> None:
    with Attempt(file.file.transport) as attempt:
        file.write(attempt, edit.content(), over=edit.over)
