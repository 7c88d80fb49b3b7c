"""What a spec asks of the mail copy: each mailbox with its two ends, logins, rules and bounds."""

import shlex
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from reconciler.analysis.cutover_records import turns
from reconciler.app.clock import SystemClock
from reconciler.app.copying.asked import Asked
from reconciler.app.copying.file_ends import FileEnds
from reconciler.app.copying.tokens import Program
from reconciler.app.move import Move
from reconciler.errors import NameInvalid, ReconcilerError, SecretError
from reconciler.mailcopy.either import AnyCopy
from reconciler.mailcopy.files.job import FilesCopy
from reconciler.mailcopy.imap.job import Endpoint, MailboxCopy
from reconciler.mailcopy.imap.login import Login, MasterAuth, MasterUser, OAuth2, OwnPassword, Proxied, ProxyAuth
from reconciler.mailcopy.imap.server import Security, Server, tls_context
from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.limits import known_limits
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.mailcopy.ports import MailLedger
from reconciler.model.name import mail_address
from reconciler.model.secret import Secret
from reconciler.model.sighting import History
from reconciler.ports import Clock, Secrets
from reconciler.spec.copy import ImapServer, MailCopy
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.spec import Spec
from reconciler.spec.wording import suggestion
from reconciler.transports.secrets import ReferencedSecrets

_SECURITY: Final = {"implicit": Security.TLS, "starttls": Security.STARTTLS, "none": Security.LOOPBACK}
_SOONER: Final = timedelta(days=1)
"""The clocks of mail servers differ, and mail may come before a change is seen; what was copied is known again."""


class Jobs:
    """Makes the jobs of one spec; ``base`` is its folder."""

    def __init__(self, spec: Spec, section: MailCopy, base: Path, secrets: Secrets, clock: Clock | None = None) -> None:
        """Nothing is contacted.

        Raises:
            ReconcilerError: the certificates of ``ca_file`` cannot be read.

        """
        self._spec, self._section, self._secrets = spec, section, secrets
        ends = {"old": section.old, "new": section.new}
        self._imap = {place: end for place, end in ends.items() if isinstance(end, ImapServer)}
        files = {place: end for place, end in ends.items() if not isinstance(end, ImapServer)}
        self._files = FileEnds(spec, files, base, secrets)
        self._servers = {
            (place, writing): _server(place, end, base, writing=writing)
            for place, end in self._imap.items()
            for writing in (False, True)
        }
        self._programs = {
            place: Program(end.service_account, secrets, clock or SystemClock())
            for place, end in self._imap.items()
            if end.service_account
        }

    def close(self) -> None:
        """Hang up the machines whose files were used."""
        self._files.close()

    def of(self, asked: Asked, today: date, ledger: MailLedger) -> tuple[AnyCopy, ...]:
        """One for each mailbox of the spec, or for those that are asked for.

        Raises:
            ReconcilerError: an address is no mailbox of the spec, or mail is asked to go where it is only read.

        """
        return tuple(self._job(mailbox, asked, today, ledger) for mailbox in self._chosen(asked.addresses))

    def _chosen(self, addresses: Sequence[str]) -> Sequence[Mailbox]:
        mailboxes = {mailbox.address: mailbox for mailbox in self._spec.mailboxes}
        if not addresses:
            return self._spec.with_old_mail
        chosen = dict.fromkeys(map(_normal, addresses))
        for address in chosen:
            if address not in mailboxes:
                raise ReconcilerError(f"no mailbox of the spec is called {suggestion(address, sorted(mailboxes))}")
            if not mailboxes[address].old_mail:
                raise ReconcilerError(f"{address} has old_mail: false in the spec, so there is nothing of it to copy")
        return tuple(mailboxes[address] for address in chosen)

    def _job(self, mailbox: Mailbox, asked: Asked, today: date, ledger: MailLedger) -> AnyCopy:
        source, target = ("new", "old") if asked.back else ("old", "new")
        key = CopyKey(mailbox.address, source, target)
        renamed = self._section.folders
        rules = Rules(
            folders=FolderRules(
                {there: here for here, there in renamed.items()} if asked.back else renamed,
                frozenset(self._section.exclude),
            ),
            follow_flags=asked.back or not mailbox.has_moved(today),
            since=asked.since,
            may_be_empty=mailbox.address in self._section.may_be_empty,
            retry_refused=asked.retry_refused,
            every_label=self._section.labels == "each",
            date_from_header=self._section.date == "header",
            unstable_approved="unstable" in mailbox.mail_copy.approve,
        )
        # never copied before is the most work, in the order of quotas; the ledger knows the others' messages
        octets = sum(state.messages for state in ledger.folders(key).values()) or mailbox.quota or 0
        if not self._imap:
            return FilesCopy(key, *self._files.pair(source, target, mailbox), rules, octets)
        return MailboxCopy(
            key,
            Endpoint(self._servers[source, False], self._login(source, mailbox)),
            Endpoint(self._servers[target, True], self._login(target, mailbox)),
            rules,
            octets,
        )

    def _login(self, place: str, mailbox: Mailbox) -> Login:
        end = self._imap[place]
        user = mailbox.login(place)
        if end.service_account:
            return self._programs[place].login(user)
        if end.login == "xoauth2" and end.token:
            return OAuth2(user, self._revealing(_for_login(end.token, user)))
        if end.password:
            return _by_administrator(end, user, self._revealing(end.password))
        return OwnPassword(user, self._own_password(place, mailbox))

    def _own_password(self, place: str, mailbox: Mailbox) -> Callable[[], Secret]:
        carried = mailbox.password == "keep"  # noqa: S105 - the word of the spec, not a password
        if place == "old" or carried:  # a hash that was carried over is of the same password
            if mailbox.old_password is None:
                return _unknown(place, mailbox.address, carried=carried and place == "new")
            return self._revealing(mailbox.old_password)
        if mailbox.password == "generate":  # noqa: S105 - as above
            return self._revealing(f"generate:{mailbox.address}")
        return self._revealing(mailbox.password)

    def _revealing(self, reference: str) -> Callable[[], Secret]:
        return lambda: self._secrets.reveal(reference)


def jobs_of(move: Move) -> Jobs:
    """The jobs of a spec that has a section ``copy``.

    Raises:
        ReconcilerError: as for ``Jobs``.

    """
    assert move.spec.mail_copy is not None
    base = move.path.absolute().parent
    generated = Path(move.spec.generated_passwords) if move.spec.generated_passwords else None
    return Jobs(move.spec, move.spec.mail_copy, base, ReferencedSecrets(base, generated=generated), move.clock)


def arrivals_since(spec: Spec, histories: Mapping[str, History]) -> datetime | None:
    """From when on mail may have come to the new server: a day before a name server was first seen to name it.

    None if no name server was ever seen to.
    """
    seen = [
        sighting.first_seen
        for turn in turns(spec)
        for sighting in histories.get(turn.name, History()).sightings
        if sighting.value is not None and sighting.value.rdata == turn.new
    ]
    return min(seen) - _SOONER if seen else None


def _server(place: str, end: ImapServer, base: Path, *, writing: bool) -> Server:
    known = known_limits(end.host, writing=writing)
    ca_file = str(base / end.ca_file) if end.ca_file else None
    try:
        tls_context(ca_file, pinned=end.fingerprint is not None)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or str(error)
        raise ReconcilerError(f"copy.{place}.ca_file: {ca_file} holds no certificates to trust: {why}") from error
    return Server(
        end.host,
        end.at_port,
        _SECURITY[end.tls],
        ca_file,
        end.fingerprint,
        float(end.timeout),
        replace(
            known,
            connections=end.connections or known.connections,
            octets_a_second=end.octets_per_second or known.octets_a_second,
            octets_a_day=end.daily_octets or known.octets_a_day,
        ),
    )


def _by_administrator(end: ImapServer, user: str, password: Callable[[], Secret]) -> Login:
    """Each login that has a password beside it; the spec has checked that there is a name where one is needed."""
    name = end.master_user or ""
    match end.login:
        case "master":
            return MasterUser(user, name, password, end.separator)
        case "proxyauth":
            return ProxyAuth(user, name, password)
        case "x-masterauth":
            return MasterAuth(user, password)
        case _:
            return Proxied(user, name, password)


def _for_login(reference: str, user: str) -> str:
    """The reference to this user's token; in a command the name stays one word."""
    return reference.replace("{login}", shlex.quote(user) if reference.startswith("command:") else user)


def _unknown(place: str, address: str, *, carried: bool) -> Callable[[], Secret]:
    """A password that the spec does not name: told when it is wanted, as this mailbox's state."""

    def refuse() -> Secret:
        same = " (password: keep: it is the one of the old server)" if carried else ""
        raise SecretError(
            f"the password of {address} on the {place} server is not known{same}: give the mailbox an old_password, "
            f"or let copy.{place} log in with a master user, an administrator or a token"
        )

    return refuse


def _normal(address: str) -> str:
    try:
        return mail_address(address)
    except NameInvalid as error:
        raise ReconcilerError(f"{address!r} is no mail address: {error}") from error
