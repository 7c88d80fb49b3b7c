"""The commands of an ordinary IMAP server, each by its verb (RFC 3501, section 6)."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from tests.fakes.imap_folders import Folder
from tests.fakes.imap_replies import Line, Reply, row_of
from tests.fakes.imap_words import Command, chosen, credentials, joined, quoted

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection, ImapServer

_NOBODY: Final = b"NO no such mailbox"
_NOTHING_OPEN: Final = b"BAD no mailbox selected"
_SYSTEM: Final = rb"\Answered \Flagged \Deleted \Seen \Draft"


def _capability(at: "Connection", _: Command) -> Reply:
    return Reply(lines=[b"* CAPABILITY %s\r\n" % at.server_of.capabilities.encode()])


def _login(at: "Connection", command: Command) -> Reply:
    """A quoted string holds seven bits (RFC 3501, section 9, QUOTED-CHAR)."""
    if any(word.kind != "literal" and not word.text.isascii() for word in command.raw):
        return Reply(b"BAD eight bits in a quoted string")
    return _enter(at.server_of, *command.args[:2])


def _authenticate(at: "Connection", command: Command) -> Reply:
    known = credentials(command.args[1] if len(command.args) > 1 else at.challenge())
    return _enter(at.server_of, *known) if known else Reply(b"BAD no credentials")


def _enter(server: "ImapServer", user: bytes, password: bytes) -> Reply:
    if server.passwords is not None and server.passwords.get(user) != password:
        return Reply(b"NO [AUTHENTICATIONFAILED] wrong password")
    return Reply()


def _logout(_: "Connection", __: Command) -> Reply:
    return Reply(lines=[b"* BYE bye\r\n"])


def _nothing(_: "Connection", __: Command) -> Reply:
    return Reply()


def _id(at: "Connection", _: Command) -> Reply:
    if not at.server_of.can("ID"):
        return Reply(b"BAD unknown command")
    at.identified = True
    return Reply(lines=[b"* ID NIL\r\n"])


def _namespace(at: "Connection", _: Command) -> Reply:
    server = at.server_of
    if not server.can("NAMESPACE"):
        return Reply(b"BAD unknown command")
    return Reply(lines=[b"* NAMESPACE ((%s %s)) NIL NIL\r\n" % (quoted(server.prefix), _cut(server))])


def _list(at: "Connection", command: Command) -> Reply:
    server = at.server_of
    extended = len(command.args) > 2
    if len(command.args) < 2 or (extended and not server.can("LIST-EXTENDED")):
        return Reply(b"BAD LIST takes two arguments")
    asked = command.args[3].upper() if extended else b""
    matches = _pattern(command.args[0] + command.args[1], server.separator)
    lines: list[Line] = []
    for name, folder in server.folders.items():
        if not matches(name) or (command.verb == "LSUB" and not folder.subscribed):
            continue
        told = folder.attributes.encode() + (rb" \Subscribed" if folder.subscribed and b"SUBSCRIBED" in asked else b"")
        lines.append(b"* %s (%s) %s %s\r\n" % (command.verb.encode(), told.strip(), _cut(server), quoted(name)))
        if b"STATUS" in asked and folder.selectable:
            items = asked.partition(b"STATUS")[2].strip(b" ()").split()
            lines.append(status_line(server, name, name, items))
    levels = sorted(filter(matches, _levels(server))) if command.args[1].endswith(b"%") else []
    lines += [b"* %s (\\Noselect) %s %s\r\n" % (command.verb.encode(), _cut(server), quoted(name)) for name in levels]
    return Reply(lines=lines)


def _levels(server: "ImapServer") -> set[bytes]:
    """What stands above folders and is none: a last ``%`` shows it, too (RFC 3501, section 6.3.8)."""
    cut = server.separator
    paths = [name.split(cut) for name in server.folders] if cut else []
    return {cut.join(path[:depth]) for path in paths for depth in range(1, len(path))} - server.folders.keys()


def _cut(server: "ImapServer") -> bytes:
    return quoted(server.separator) if server.separator else b"NIL"


def _pattern(text: bytes, separator: bytes) -> Callable[[bytes], bool]:
    level = b"[^%s]*" % re.escape(separator) if separator else b".*"
    expression = b"".join({b"*": b".*", b"%": level}.get(c, re.escape(c)) for c in re.findall(b"(?s).", text))
    return lambda name: re.fullmatch(expression, name, re.DOTALL) is not None


def status_line(server: "ImapServer", name: bytes, told: bytes, items: list[bytes]) -> bytes:
    """The STATUS response for a folder under the name that is ``told``."""
    folder = server.folders[name]
    values = {
        b"MESSAGES": len(folder.mails),
        b"UIDNEXT": folder.uidnext,
        b"UIDVALIDITY": folder.uidvalidity,
        b"UNSEEN": sum("\\Seen" not in mail.flags for mail in folder.mails),
        b"RECENT": 0,
    } | ({b"HIGHESTMODSEQ": folder.modseq} if server.can("CONDSTORE") else {})
    pairs = b" ".join(b"%s %d" % (item, values[item]) for item in items if item in values)
    return b"* STATUS %s (%s)\r\n" % (quoted(told), pairs)


def _status(at: "Connection", command: Command) -> Reply:
    server = at.server_of
    name = server.find(command.name)
    if name is None or not server.folders[name].selectable:
        return Reply(_NOBODY)
    items = command.args[1].upper().strip(b"()").split()
    if b"HIGHESTMODSEQ" in items and not server.can("CONDSTORE"):
        return Reply(b"BAD unknown status item")
    return Reply(lines=[status_line(server, name, command.name, items)])


def _select(at: "Connection", command: Command) -> Reply:
    server = at.server_of
    name = server.find(command.name)
    if name is None or not server.folders[name].selectable:
        return Reply(_NOBODY)
    folder = server.folders[name]
    at.selected, at.writable = name, command.verb == "SELECT"
    lines: list[Line] = [b"* FLAGS (%s)\r\n" % _SYSTEM, b"* %d EXISTS\r\n" % len(folder.mails), b"* 0 RECENT\r\n"]
    if server.permanent is not None:
        told = server.permanent.encode() if at.writable else b""
        lines.append(b"* OK [PERMANENTFLAGS (%s)] kept\r\n" % told)
    lines += [b"* OK [UIDVALIDITY %d] x\r\n" % folder.uidvalidity, b"* OK [UIDNEXT %d] x\r\n" % folder.uidnext]
    if server.can("CONDSTORE"):
        lines.append(b"* OK [HIGHESTMODSEQ %d] x\r\n" % folder.modseq)
    return Reply(b"OK [READ-%s] done" % (b"WRITE" if at.writable else b"ONLY"), lines)


def _create(at: "Connection", command: Command) -> Reply:
    server = at.server_of
    name = command.name.removesuffix(server.separator) if server.separator else command.name
    if server.find(name) is not None:
        return Reply(b"NO [ALREADYEXISTS] Mailbox already exists")
    server.folders[name] = Folder()
    return Reply()


def _subscribe(at: "Connection", command: Command) -> Reply:
    name = at.server_of.find(command.name)
    if name is None:
        return Reply(_NOBODY)
    at.server_of.folders[name].subscribed = True
    return Reply()


def _open_folder(at: "Connection") -> Folder | None:
    return at.server_of.folders[at.selected] if at.selected is not None else None


def _fetch(at: "Connection", command: Command) -> Reply:
    folder = _open_folder(at)
    if folder is None:
        return Reply(_NOTHING_OPEN)
    wanted = command.items
    since = re.search(rb"CHANGEDSINCE (\d+)", command.args[2].upper()) if len(command.args) > 2 else None
    if len(command.args) > 2 and not (since and at.server_of.can("CONDSTORE")):
        return Reply(b"BAD unknown modifier")
    rows = []
    for uid in chosen(command.args[0], folder.uids):
        mail = folder.of(uid)
        if since and mail.modseq <= int(since[1]):
            continue
        row = row_of(folder.uids.index(uid) + 1, mail, [*wanted, b"MODSEQ"] if since else wanted)
        if row is None:
            return Reply(b"BAD unknown item")
        rows.append(row)
    return Reply(lines=[*rows])


def _search(at: "Connection", command: Command) -> Reply:
    folder = _open_folder(at)
    if folder is None:
        return Reply(_NOTHING_OPEN)
    keys = [key.upper() for key in command.args]
    found = folder.uids if keys == [b"ALL"] else chosen(keys[-1], folder.uids)
    return Reply(lines=[b"* SEARCH %s\r\n" % joined(found)])


def _store(at: "Connection", command: Command) -> Reply:
    folder = _open_folder(at)
    if folder is None:
        return Reply(_NOTHING_OPEN)
    if not at.writable:
        return Reply(b"NO [READ-ONLY] opened by EXAMINE")
    sign, named = command.args[1].upper(), set(command.args[2].decode("latin-1").strip("()").split())
    lines: list[Line] = []
    for uid in chosen(command.args[0], folder.uids):
        have = set(folder.of(uid).flags.split())
        folder.flag(uid, " ".join(sorted(have | named if sign[:1] == b"+" else have - named)))
        row = row_of(folder.uids.index(uid) + 1, folder.of(uid), [b"UID", b"FLAGS"])
        if b"SILENT" not in sign and row is not None:
            lines.append(row)
    return Reply(lines=lines)


def _append(at: "Connection", command: Command) -> Reply:
    server, mails = at.server_of, command.incoming
    name = server.find(command.name)
    if not mails or (len(mails) > 1 and not server.can("MULTIAPPEND")):
        return Reply(b"BAD APPEND takes one message")
    if name is None or not server.folders[name].selectable:
        return Reply(b"NO [TRYCREATE] no such mailbox")
    folder = server.folders[name]
    uids = [folder.take(*mail) for mail in mails]
    lines: list[Line] = [b"* %d EXISTS\r\n" % len(folder.mails)] if at.selected == name else []
    if not server.can("UIDPLUS"):
        return Reply(lines=lines)
    told = b"%d" % uids[0] if len(uids) == 1 else b"%d:%d" % (uids[0], uids[-1])
    return Reply(b"OK [APPENDUID %d %s] done" % (folder.uidvalidity, told), lines)


VERBS: Final[Mapping[str, Callable[["Connection", Command], Reply]]] = {
    "CAPABILITY": _capability,
    "LOGIN": _login,
    "AUTHENTICATE": _authenticate,
    "LOGOUT": _logout,
    "NOOP": _nothing,
    "ID": _id,
    "NAMESPACE": _namespace,
    "LIST": _list,
    "LSUB": _list,
    "STATUS": _status,
    "SELECT": _select,
    "EXAMINE": _select,
    "CREATE": _create,
    "SUBSCRIBE": _subscribe,
    "UID FETCH": _fetch,
    "UID SEARCH": _search,
    "UID STORE": _store,
    "APPEND": _append,
}
