"""Mailboxes whose files are at hand: each end's machine and paths, from the section copy and the server's options."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.app.products import SERVERS
from reconciler.errors import ReconcilerError
from reconciler.formats.templates import filled
from reconciler.mailcopy.files.job import MaildirEnd, MboxEnd
from reconciler.mailcopy.files.machine import Machine
from reconciler.mailcopy.model.limits import Limits
from reconciler.mailcopy.model.maildir_layout import Layout
from reconciler.ports import Secrets, Transport
from reconciler.spec.mail_files import Maildirs, Mboxes
from reconciler.spec.mailbox import Mailbox
from reconciler.spec.servers import Server
from reconciler.spec.spec import Spec
from reconciler.transports.local import LocalTransport
from reconciler.transports.ssh.options import Ssh

_NESTED: Final = "fs"


class FileEnds:
    """Makes the ends of a spec's copies by files; ``base`` is its folder. Machines are connected to when first used."""

    def __init__(self, spec: Spec, ends: dict[str, Maildirs | Mboxes], base: Path, secrets: Secrets) -> None:
        """``ends`` by place."""
        self._spec, self._ends, self._base = spec, ends, base
        self._closing: list[Callable[[], None]] = []
        sections: dict[str, Server] = {"old": spec.old, "new": spec.new}
        self._far = {place: _ssh(sections[place]) for place in ends}
        self._machines = {place: self._machine(end, self._far[place], secrets) for place, end in ends.items()}

    def close(self) -> None:
        """Hang up."""
        for close in self._closing:
            close()

    def pair(self, source: str, target: str, mailbox: Mailbox) -> tuple[MaildirEnd | MboxEnd, MaildirEnd]:
        """The mailbox at both places, to be copied from one to the other.

        Raises:
            ReconcilerError: the target lies in mbox files, or is the source.

        """
        one, other = self._source(source, mailbox), self._target(target, mailbox)
        if (one.server.host, one.server.port, one.root) == (other.server.host, other.server.port, other.root):
            raise ReconcilerError(f"copy.old and copy.new are the same place for {mailbox.address}: {one.root}")
        return one, other

    def _source(self, place: str, mailbox: Mailbox) -> MaildirEnd | MboxEnd:
        end, machine = self._ends[place], self._machines[place]
        if isinstance(end, Maildirs):
            return self._target(place, mailbox)
        inbox = self._path(place, end.inbox, mailbox) if end.inbox else None
        return MboxEnd(machine, self._path(place, end.mbox, mailbox), inbox)

    def _target(self, place: str, mailbox: Mailbox) -> MaildirEnd:
        end = self._ends[place]
        if not isinstance(end, Maildirs):
            raise ReconcilerError(
                f"copy.{place} are mbox files, which are only read: no mail is copied there. Copy it by IMAP instead"
            )
        layout = Layout(nested=end.layout == _NESTED)
        root = self._path(place, end.maildir, mailbox)
        return MaildirEnd(self._machines[place], root, layout, may_be_made=end.make)

    def _machine(self, end: Maildirs | Mboxes, ssh: Ssh | None, secrets: Secrets) -> Machine:
        limits = Limits(connections=end.connections, octets_a_second=end.octets_per_second)
        transport: Transport = LocalTransport()
        if ssh is None:
            return Machine(transport, limits=limits)
        from reconciler.transports.ssh.transport import open_ssh  # noqa: PLC0415 - paramiko is slow to import, and seldom needed

        transport = far = open_ssh(ssh, self._base, secrets)
        self._closing.append(far.close)
        return Machine(transport, ssh.host, ssh.port, limits)

    def _path(self, place: str, pattern: str, mailbox: Mailbox) -> PurePosixPath:
        user = mailbox.login(place)
        text = filled(pattern, user if "@" in user else f"{user}@{self._spec.domain}")
        if text is None or ".." in text.split("/"):
            raise ReconcilerError(f"{user!r} cannot stand in the path {pattern} of copy.{place}: it leads elsewhere")
        if self._far[place] is None:
            return PurePosixPath(self._base, Path(text).expanduser())
        if not text.startswith("/"):
            raise ReconcilerError(
                f"copy.{place}: the mail is on {self._machines[place]}, so its path begins with a slash, and {pattern} "
                "does not"
            )
        return PurePosixPath(text)


def _ssh(section: Server) -> Ssh | None:
    """The machine behind the server's own files; None is this one, as for products without files."""
    options = SERVERS[section.backend].options.model_validate(section.options)
    ssh = getattr(options, "ssh", None)
    return ssh if isinstance(ssh, Ssh) else None
