"""Quotas: a rule or a size in an extra field of the account's line in the passwd-file."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

from reconciler.errors import WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.line_text import Edit
from reconciler.formats.mail_server.passwd_file import Account
from reconciler.formats.mail_server.quota_field import limit, with_limit
from reconciler.model.change import Change
from reconciler.resources.server.quota import Quota
from reconciler.stores.accounts_file import AccountsFile
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.under_lock import under_lock

BATCH: Final = 500


class QuotaStore:
    """The storage limits of one domain's accounts; everything else on their lines stays as it is.

    A limit that is relative to a global rule (``+10%``) is no number of bytes: it is not shown, and not overwritten.
    Nor is any line on which a rule cannot be understood.
    """

    batch = BATCH

    def __init__(self, context: Context, accounts: AccountsFile, field: str) -> None:
        """``field`` is the extra field that holds the rule, or the first of the rules, or a size."""
        self._context = context
        self._accounts = accounts
        self._field = field

    def read(self, names: Collection[str] | None = None) -> Iterator[Quota]:
        """The accounts that have a limit of their own, unlimited (0) among them."""
        for name, account in self._accounts.file.read().by_address.items():
            if names is None or name in names:
                quota = self._quota(name, account)
                if quota:
                    yield quota

    def locked(self) -> AbstractContextManager[None]:
        """The passwd-file's lock."""
        return self._accounts.file.locked()

    @under_lock
    def write(self, changes: Sequence[Change], /) -> None:
        """Set, change or remove limits."""
        accounts = self._accounts.file.fresh()
        path = self._accounts.file.path
        standing = {
            name: quota
            for change in changes
            if (account := accounts.by_address.get(name := change.address.name))
            and (quota := self._quota(name, account))
        }
        verify(changes, standing, path)
        edit = Edit(accounts.text)
        for change in changes:
            account = accounts.by_address.get(change.address.name)
            if account is None:
                raise WriteError(
                    f"{change.address} cannot be set: {path} has no account {change.address.name}; make the mailbox "
                    "first. Nothing was written"
                )
            after = change.after if isinstance(change.after, Quota) else None
            try:
                wanted = (after.size, after.stored) if after else (None, None)
                line = with_limit(account, self._field, *wanted)
            except ValueError as error:
                raise WriteError(
                    f"{path}:{account.index + 1}: {change.address} cannot be set: {error}. Write an absolute limit of "
                    f"the whole account there, or none, in {self._field}, and plan again. Nothing was written"
                ) from error
            edit.replace(account.index, line)
        with Attempt(self._accounts.file.transport) as attempt:
            attempt.write(path, edit.content(), over=edit.over)

    def _quota(self, name: str, account: Account) -> Quota | None:
        try:
            found = limit(account, self._field)
        except ValueError:
            return None
        if found is None:
            return None
        return Quota(place=self._context.place, name=name, size=found.size, stored=found.text)
