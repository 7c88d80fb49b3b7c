"""The domains that Postfix delivers to mailboxes: virtual_mailbox_domains."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from reconciler.errors import WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.line_text import Edit, Text
from reconciler.formats.mail_server.virtual_map import Entry, entries, remove
from reconciler.formats.templates import same_domain
from reconciler.model.change import Change
from reconciler.resources.server.domain import MailDomain
from reconciler.stores.attempt import Attempt
from reconciler.stores.before import verify
from reconciler.stores.postfix_map import PostfixMap
from reconciler.stores.under_lock import under_lock


@dataclass(frozen=True, slots=True)
class Domains:
    """Where the domain stands, if it does; ``value`` is what the file writes behind a domain, empty in a list."""

    text: Text
    entry: Entry | None
    value: str


def parse(text: Text, domain: str, value: str) -> Domains:
    """A list of one domain a line, or a map of ``domain value``; an empty file gets ``value``.

    Raises:
        ObserveError: the domain stands twice.

    """
    found = entries(text, values=False)
    own = [entry for entry in found if same_domain(entry.key, domain)]
    if len(own) > 1:
        raise text.error(own[1].rows[0], f"{domain} stands here and in line {own[0].rows[0] + 1}: remove one")
    return Domains(text, own[0] if own else None, found[0].value.partition(" ")[0] if found else value)


class DomainStore:
    """One domain in the file of all domains."""

    batch = 1

    def __init__(self, context: Context, file: PostfixMap[Domains]) -> None:
        """The file may be a list or a map."""
        self._context = context
        self._file = file

    def read(self, names: Collection[str] | None = None) -> Iterator[MailDomain]:  # noqa: ARG002 - one at most
        """The domain, if Postfix takes mail for it."""
        yield from self._found(self._file.file.read())

    def locked(self) -> AbstractContextManager[None]:
        """The file's lock."""
        return self._file.file.locked()

    @under_lock
    def write(self, changes: Sequence[Change], /) -> None:
        """Add or remove the domain."""
        standing = self._file.file.fresh()
        verify(changes, {domain.name: domain for domain in self._found(standing)}, self._file.path)
        edit = Edit(standing.text)
        for change in changes:
            if change.address.name != self._context.domain:
                raise WriteError(f"{change.address} is not the domain of this move; nothing was written")
            if standing.entry is None:
                edit.append(f"{self._context.domain} {standing.value}".rstrip())
            elif change.after is None:
                remove(edit, standing.entry)
        with Attempt(self._file.file.transport) as attempt:
            self._file.write(attempt, edit.content(), over=edit.over)

    def _found(self, standing: Domains) -> Iterator[MailDomain]:
        if standing.entry:
            yield MailDomain(place=self._context.place, name=self._context.domain)


class DomainKeptElsewhere:
    """The domain of a server whose options do not say where its domains stand: taken to be there."""

    batch = 1

    def __init__(self, context: Context) -> None:
        """Only its name matters."""
        self._context = context

    def read(self, names: Collection[str] | None = None) -> Iterator[MailDomain]:  # noqa: ARG002 - one at most
        """The domain."""
        yield MailDomain(place=self._context.place, name=self._context.domain)

    def write(self, changes: Sequence[Change], /) -> None:
        """Refuse.

        Raises:
            WriteError: always; names the option.

        """
        raise WriteError(
            f"{changes[0].address} cannot be written: the option virtual_mailbox_domains does not say where; change it "
            "by hand or set the option"
        )
