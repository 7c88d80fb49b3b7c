"""Sieve scripts on disk, as Pigeonhole and its ManageSieve server keep them: a folder, and a link to the active one.

Source: doc.dovecot.org, 2.3, "Pigeonhole Sieve Interpreter", ``file:~/sieve;active=~/.dovecot.sieve``; tested with
Pigeonhole 0.5.19.
"""

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from reconciler.errors import ObserveError, WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.passwd_file import Account
from reconciler.formats.templates import filled
from reconciler.model.change import Change
from reconciler.ports import Stat, Transport
from reconciler.resources.server.sieve import OWN_SCRIPT, SieveScript
from reconciler.stores.accounts_file import AccountsFile
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.under_lock import under_lock

BATCH: Final = 50  # each script is a file, and all of a batch are put back when one fails
_ENDING: Final = ".sieve"
_COMPILED: Final = ".svbin"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where one account's scripts are: ``active`` is the link to one of them, or a script itself.

    The directories are text until somebody needs them: thousands of Paths cost more than asking the disk.
    """

    home_text: str
    scripts_text: str
    active: PurePath

    @property
    def home(self) -> PurePath:
        """What ``~`` stands for."""
        return PurePath(self.home_text)

    @property
    def scripts(self) -> PurePath:
        """The directory of the scripts."""
        return PurePath(self.scripts_text)

    def script(self, name: str) -> PurePath:
        """The file of a script."""
        return PurePath(f"{self.scripts_text}/{name}{_ENDING}")

    def holds(self, path: PurePath) -> bool:
        """Whether a path is the user's own."""
        return path.is_relative_to(self.home) or path.is_relative_to(self.scripts)

    def between(self, path: PurePath) -> Iterator[PurePath]:
        """A path and the directories above it that are the user's own: what the user may have made a link of."""
        while self.holds(path) and path not in {self.home, self.home.parent}:
            yield path
            path = path.parent


@dataclass(frozen=True, slots=True)
class Found:
    """A script as it stands; ``linked``: a symbolic link makes it the active one."""

    resource: SieveScript
    file: PurePath
    linked: bool


class SieveStore:
    """The active script of each account or, where none is active, the one that Roundcube would open.

    Text is kept as it stands, line ends too. Links are followed from the active name to the script and nowhere else,
    because a user could point them at other people's files. Directories that had to be made stay when scripts go.
    """

    batch = BATCH

    def __init__(
        self, context: Context, transport: Transport, accounts: AccountsFile, *, scripts: str, active: str
    ) -> None:
        """``scripts`` and ``active`` are the two paths of Pigeonhole's ``sieve`` setting; ``~`` is the home."""
        self._context = context
        self._transport = transport
        self._accounts = accounts
        self._scripts = scripts
        self._active = active

    def read(self, names: Collection[str] | None = None) -> Iterator[SieveScript]:
        """One script an account at most; accounts whose home nobody knows have none."""
        return iter([found.resource for found in self._find(names).values()])

    def locked(self) -> AbstractContextManager[None]:
        """One lock for all scripts of the domain, beside the passwd-file: a user's own folder is no place for it."""
        accounts = self._accounts.file
        return accounts.transport.locked([accounts.path.with_name(f"{self._context.domain}.sieve")])

    @under_lock
    def write(self, changes: Sequence[Change], /) -> None:
        """Write scripts before they become active, and remove them after they are no longer."""
        names = [change.address.name for change in changes]
        standing = self._find(names)
        verify(changes, {name: found.resource for name, found in standing.items()}, "the user's Sieve folder")
        accounts = self._accounts.file.read().by_address
        with Attempt(self._transport) as attempt:
            for change in changes:
                folder = self._known_folder(change, accounts)
                found = standing.get(change.address.name)
                if not isinstance(change.after, SieveScript):
                    assert found is not None  # verified above
                    self._remove(attempt, folder, found)
                elif found and found.resource.script == change.after.script:
                    self._update(attempt, folder, found, change.after)
                else:
                    self._create(attempt, folder, change.after, accounts[change.address.name])

    def _find(self, names: Collection[str] | None) -> dict[str, Found]:
        accounts = self._accounts.file.read().by_address
        folders = {
            name: folder
            for name in (accounts if names is None else names)
            if name in accounts and (folder := self._folder(name, accounts[name]))
        }
        links = self._transport.read_links([folder.active for folder in folders.values()])
        candidates = {name: _candidates(folder, links.get(folder.active)) for name, folder in folders.items()}
        contents = self._transport.read_many([path for paths in candidates.values() for path in paths])
        files = {
            name: file
            for name, paths in candidates.items()
            if (file := next((path for path in paths if path in contents), None))
        }
        self._refuse_links(folders, files)
        found = {}
        for name, file in files.items():
            linked = folders[name].active in links
            resource = SieveScript(
                place=self._context.place,
                name=name,
                script=file.name.removesuffix(_ENDING),
                content=_text(file, contents[file]),
                active=linked or file == folders[name].active,
            )
            found[name] = Found(resource, file, linked)
        return found

    def _folder(self, name: str, account: Account) -> Folder | None:
        home = self._accounts.home(name, account)
        scripts = home and self._place(self._scripts, name, home)
        active = home and self._place(self._active, name, home)
        return Folder(home, scripts, PurePath(active)) if home and scripts and active else None

    def _place(self, template: str, name: str, home: str) -> str | None:
        path = filled(template, name)
        if path is None:
            return None
        return f"{home}/{path[2:]}" if path.startswith("~/") else str(self._context.base / path)

    def _refuse_links(self, folders: Mapping[str, Folder], files: Mapping[str, PurePath]) -> None:
        on_the_way = {path: None for name, file in files.items() for path in folders[name].between(file)}
        for path, target in self._transport.read_links(list(on_the_way)).items():
            raise ObserveError(_not_followed(path, target))

    def _known_folder(self, change: Change, accounts: Mapping[str, Account]) -> Folder:
        name = change.address.name
        account = accounts.get(name)
        folder = self._folder(name, account) if account else None
        if folder is None:
            why = f"its line in {self._accounts.file.path} has no home: set mail_home in the options"
            missing = f"{self._accounts.file.path} has no such account: make the mailbox first"
            raise WriteError(f"{change.address} cannot be written: {why if account else missing}. Nothing was written")
        return folder

    def _create(self, attempt: Attempt, folder: Folder, script: SieveScript, account: Account) -> None:
        file = folder.script(script.script)
        if not script.script or "/" in script.script or script.script.startswith("."):
            raise WriteError(f"{script.address}: {script.script!r} is no name for a script; nothing was written")
        for path, target in self._transport.read_links(list(folder.between(file))).items():
            raise WriteError(f"{script.address} cannot be written: {_not_followed(path, target)}. Nothing was written")
        if self._transport.stat(file):
            raise WriteError(
                f"{script.address} cannot be written: {file} is there already, not active, and may hold the user's "
                "rules; activate it or give it another name, then plan again. Nothing was written"
            )
        owner = self._owner(folder.home, account)
        self._transport.make_directory(folder.scripts, like=replace(owner, mode=0o700))
        attempt.write(file, script.content.encode(), like=replace(owner, mode=0o600), over=None)
        if script.active:
            self._transport.make_directory(folder.active.parent, like=replace(owner, mode=0o700))
            attempt.link(folder.active, posixpath.relpath(file, folder.active.parent))

    def _update(self, attempt: Attempt, folder: Folder, found: Found, after: SieveScript) -> None:
        if found.resource.active and not after.active and not found.linked:
            raise WriteError(
                f"{after.address} cannot be switched off: {found.file} is the script itself and no link; move it into "
                f"{folder.scripts} and link it, then plan again"
            )
        if found.resource.active and not after.active:
            attempt.remove(folder.active)
        if after.content != found.resource.content:
            attempt.write(found.file, after.content.encode(), over=found.resource.content.encode())
        if after.active and not found.resource.active:
            attempt.link(folder.active, posixpath.relpath(found.file, folder.active.parent))

    def _remove(self, attempt: Attempt, folder: Folder, found: Found) -> None:
        if found.linked:
            attempt.remove(folder.active)
        attempt.remove(found.file, over=found.resource.content.encode())
        for path in {found.file, folder.active} if found.resource.active else {found.file}:
            attempt.remove(path.with_suffix(_COMPILED))

    def _owner(self, home: PurePath, account: Account) -> Stat:
        """Whoever owns the home; for one that is still to be made, the user of the account's line."""
        uid, gid = account.owner
        stat = self._transport.stat(home)
        if stat is None and uid.isdigit() and gid.isdigit():
            return Stat(int(uid), int(gid), 0o700, ())
        for parent in home.parents:
            stat = stat or self._transport.stat(parent)
        assert stat is not None  # the root directory is there
        return stat


def _candidates(folder: Folder, target: str | None) -> list[PurePath]:
    """The files that may hold the script, the active one first."""
    if target is None:
        return [folder.active, folder.script(OWN_SCRIPT)]
    file = PurePath(posixpath.normpath(folder.active.parent / target))
    if not folder.holds(file):
        raise ObserveError(
            f"{folder.active} is a symbolic link to {target}, outside of {folder.home}: following it would touch what "
            f"is not this user's; link a script in {folder.scripts} instead and plan again"
        )
    return [file]


def _not_followed(path: PurePath, target: str) -> str:
    return (
        f"{path} is a symbolic link to {target}: a user could have it lead to other people's files, so it is not "
        "followed; put the file or folder itself there and plan again"
    )


def _text(file: PurePath, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ObserveError(
            f"{file} is not UTF-8 (octet {error.start}), as every Sieve script must be (RFC 5228, section 2.1): "
            "Pigeonhole would refuse it; save it as UTF-8 and plan again"
        ) from error
