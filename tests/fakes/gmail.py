"""An IMAP server on loopback that speaks as Gmail does: capabilities, special folders, X-GM-MSGID and X-GM-LABELS.

What it says and how it writes it is that of imap.gmail.com in 2026, as far as a copy of mail asks for it. It is no
MULTIAPPEND server and takes literals of 4096 octets at most without being asked (LITERAL-).
"""

import base64
import re
import socketserver
import threading
from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import ClassVar

from tests.fakes.gmail_store import SPECIAL, Mail, Mailbox

CAPABILITIES = (
    "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE "
    "CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584"
)
BEFORE = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN"

USED_UP = "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)"

_WORD = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|(\((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*\))|(\S+))')
_LITERAL = re.compile(rb"\{(\d+)([+-]?)\}\r\n\Z")
_ITEM = re.compile(r"BODY\.PEEK\[[^\]]*\]|[^\s()]+")


class Gmail:
    """``mailboxes`` by user, each with the password ``pw-USER``; ``said`` counts the commands that were given.

    ``bandwidth``: octets of messages that may still be read; after that nobody is let in.
    """

    def __init__(self, **mailboxes: Mailbox) -> None:
        self.mailboxes = mailboxes
        self.said: Counter[str] = Counter()
        self.bandwidth: int | None = None
        self.lock = threading.RLock()
        outer = self

        class Handler(_Connection):
            gmail = outer

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Connection(socketserver.StreamRequestHandler):
    gmail: Gmail
    box: Mailbox
    open: str = ""

    def handle(self) -> None:
        self.say("* OK Gimap ready for requests from 127.0.0.1 k2if6111336rvb.0")
        while (words := self.command()) and len(words) > 1:
            tag, name, *rest = words
            verb = name.decode().upper()
            if verb == "UID":
                verb, rest = f"UID_{rest[0].decode().upper()}", rest[1:]
            with self.gmail.lock:
                self.gmail.said[verb] += 1
                answer = self.VERBS[verb](self, rest) if verb in self.VERBS else "BAD Unknown command"
            self.say(f"{tag.decode()} {answer}")
            if verb == "LOGOUT":
                return

    def command(self) -> list[bytes]:
        """The words of one command; a literal is one of them, asked for where the client waits."""
        words: list[bytes] = []
        while line := self.rfile.readline():
            literal = _LITERAL.search(line)
            plain = line[: literal.start()] if literal else line.rstrip(b"\r\n")
            for quoted, group, atom in _WORD.findall(plain):
                words.append(group or atom or re.sub(rb"\\(.)", rb"\1", quoted))
            if not literal:
                break
            if not literal[2]:
                self.say("+ go ahead")
            assert not literal[2] or int(literal[1]) <= 4096, "LITERAL- takes no more (RFC 7888)"
            words.append(self.rfile.read(int(literal[1])))
        return words

    def say(self, line: str) -> None:
        self.wfile.write(line.encode("latin-1") + b"\r\n")

    def capability(self, _: list[bytes]) -> str:
        self.say(f"* CAPABILITY {CAPABILITIES if hasattr(self, 'box') else BEFORE}")
        return "OK Thats all she wrote! k2if6111336rvb"

    def login(self, words: list[bytes]) -> str:
        user, password = (word.decode() for word in words)
        if self.gmail.bandwidth == 0:
            return USED_UP
        if user not in self.gmail.mailboxes or password != f"pw-{user}":
            return "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
        self.box = self.gmail.mailboxes[user]
        self.say(f"* CAPABILITY {CAPABILITIES}")
        return f"OK {user} authenticated (Success)"

    def authenticate(self, words: list[bytes]) -> str:
        if len(words) < 2:
            self.say("+ ")
            words.append(self.rfile.readline().strip())
        _, user, password = base64.b64decode(words[1]).split(b"\0")
        return self.login([user, password])

    def namespace(self, _: list[bytes]) -> str:
        self.say('* NAMESPACE (("" "/")) NIL NIL')
        return "OK Success"

    def folders(self, words: list[bytes]) -> str:
        self.say('* LIST (\\HasChildren \\Noselect) "/" "[Gmail]"')
        for folder in self.box.folders:
            special = f" {SPECIAL[folder]}" if folder in SPECIAL else ""
            subscribed = " \\Subscribed" if b"SUBSCRIBED" in b" ".join(words) else ""
            self.say(f'* LIST (\\HasNoChildren{special}{subscribed}) "/" "{folder}"')
            if b"STATUS" in b" ".join(words):
                self.status([folder.encode()])
        return "OK Success"

    def status(self, words: list[bytes]) -> str:
        folder = words[0].decode()
        if folder not in self.box.folders:
            return "NO [NONEXISTENT] Unknown Mailbox: " + folder
        figures = f"MESSAGES {len(self.box.uids(folder))} UIDNEXT {self.box.uidnext(folder)} UIDVALIDITY 7"
        self.say(f'* STATUS "{folder}" ({figures} HIGHESTMODSEQ {self.box.modseq})')
        return "OK Success"

    def examine(self, words: list[bytes]) -> str:
        folder = words[0].decode()
        if folder not in self.box.folders:
            return "NO [NONEXISTENT] Unknown Mailbox: " + folder
        self.open = folder
        flags = "\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing"
        self.say(f"* FLAGS ({flags})")
        self.say(f"* OK [PERMANENTFLAGS ({flags} \\*)] Flags permitted.")
        self.say("* OK [UIDVALIDITY 7] UIDs valid.")
        self.say(f"* {len(self.box.uids(folder))} EXISTS")
        self.say("* 0 RECENT")
        self.say(f"* OK [UIDNEXT {self.box.uidnext(folder)}] Predicted next UID.")
        self.say(f"* OK [HIGHESTMODSEQ {self.box.modseq}]")
        return f"OK [READ-ONLY] {folder} selected. (Success)"

    def fetch(self, words: list[bytes]) -> str:
        since = int(re.findall(rb"CHANGEDSINCE (\d+)", words[2])[0]) if len(words) > 2 else 0
        for sequence, (number, uid) in enumerate(self.box.uids(self.open).items(), 1):
            mail = self.box.mail[number]
            if _within(uid, words[0].decode(), max(self.box.uids(self.open).values())) and mail.modseq > since:
                if b"BODY.PEEK[]" in words[1] and self.gmail.bandwidth is not None:
                    self.gmail.bandwidth = max(0, self.gmail.bandwidth - len(mail.body))
                    if not self.gmail.bandwidth:
                        return USED_UP
                parts = chain.from_iterable(self.item(name, uid, mail) for name in _ITEM.findall(words[1].decode()))
                self.say(f"* {sequence} FETCH ({' '.join(parts)})")
        return "OK Success"

    def item(self, name: str, uid: int, mail: Mail) -> tuple[str, str]:  # noqa: PLR0911 - one for each item
        match name.upper():
            case "UID":
                return name, str(uid)
            case "FLAGS":
                return name, f"({' '.join(sorted(mail.flags))})"
            case "INTERNALDATE":
                return name, f'"{mail.date}"'
            case "RFC822.SIZE":
                return name, str(len(mail.body))
            case "X-GM-MSGID":
                return name, str(mail.number)
            case "X-GM-LABELS":
                return name, f"({' '.join(map(_label, self.box.shown(self.open, mail)))})"
            case "BODY.PEEK[]":
                return "BODY[]", _literal(mail.body)
            case _:
                header = mail.body.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                return name.replace(".PEEK", ""), _literal(header)

    def store(self, words: list[bytes]) -> str:
        flags = set(words[2].decode().strip("()").split())
        add, remove = (flags, set[str]()) if words[1].startswith(b"+") else (set[str](), flags)
        for number, uid in self.box.uids(self.open).items():
            if _within(uid, words[0].decode(), uid):
                self.box.flag(self.box.mail[number], add, remove)
        return "OK Success"

    def append(self, words: list[bytes]) -> str:
        folder, flags, date, body = words[0].decode(), words[1].decode(), words[2].decode(), words[-1]
        if folder not in self.box.folders:
            return "NO [TRYCREATE] Folder doesn't exist."
        uid = self.box.append(folder, body, date, set(flags.strip("()").split()))
        return f"OK [APPENDUID 7 {uid}] (Success)"

    def create(self, words: list[bytes]) -> str:
        if words[0].decode() in self.box.folders:
            return "NO [ALREADYEXISTS] Duplicate folder name"
        self.box.labels.append(words[0].decode())
        return "OK Success"

    def fine(self, _: list[bytes]) -> str:
        return "OK Success"

    VERBS: ClassVar[dict[str, Callable[["_Connection", list[bytes]], str]]] = {
        "CAPABILITY": capability, "LOGIN": login, "AUTHENTICATE": authenticate, "NAMESPACE": namespace, "LIST": folders,
        "LSUB": fine, "STATUS": status, "EXAMINE": examine, "SELECT": examine, "UID_FETCH": fetch, "UID_STORE": store,
        "APPEND": append, "CREATE": create, "SUBSCRIBE": fine, "NOOP": fine, "ID": fine, "LOGOUT": fine,
    }  # fmt: skip


def _within(uid: int, chosen: str, last: int) -> bool:
    for part in chosen.split(","):
        first, _, end = part.replace("*", str(last)).partition(":")
        ends = sorted((int(first), int(end or first)))
        if ends[0] <= uid <= ends[1]:
            return True
    return False


def _label(name: str) -> str:
    """System labels are quoted, and so are names that are no atoms."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return name if re.fullmatch(r"[\w/&,+-]+", name) else f'"{escaped}"'


def _literal(octets: bytes) -> str:
    return f"{{{len(octets)}}}\r\n{octets.decode('latin-1')}"
