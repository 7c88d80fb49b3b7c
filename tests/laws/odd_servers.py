"""Random mailboxes, and servers with any mixture of the oddities that people meet."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.fakes import imap_noise as noise
from tests.fakes import imap_odd_lists as lists
from tests.fakes import imap_odd_rows as rows
from tests.fakes import imap_odd_targets as targets
from tests.fakes import imap_oddities as odd
from tests.fakes.imap_folders import Folder, Mail
from tests.fakes.imap_oddity import Oddity
from tests.fakes.imap_server import EVERYTHING, ORDINARY, PERMANENT, ImapServer

NAMES = (
    b"Work",
    b"Work/2024",
    b"work",
    b"Archive ",
    b"Sent",
    b"INBOX/INBOX",
    b"INBOX/Work",
    b"R&-D",
    b"R&D",
    b"Gr&APYA3w-e",
    b"a.b",
    b"(x) \\ [y]",
)
CAPABILITIES = (
    ORDINARY,
    EVERYTHING,
    "IMAP4rev1 AUTH=PLAIN",
    f"{ORDINARY} MULTIAPPEND",
    f"{ORDINARY} CONDSTORE ID",
    f"{ORDINARY} LIST-EXTENDED LIST-STATUS",
)
FLAGS = (r"\Seen", r"\Flagged", r"\Answered", r"\Draft", "$Forwarded", "k1", "k2", "k3", "k4", "NonJunk")
HIGHEST = 7
"""The highest UID of a drawn message; few, so that oddities about one UID meet a message."""


@dataclass
class Described:
    """A server that does not listen yet."""

    folders: dict[bytes, Folder]
    oddities: list[Oddity]
    capabilities: str
    permanent: str | None = PERMANENT
    separator: str = "/"
    prefix: str = ""

    def listen(self) -> ImapServer:
        """Begin to."""
        return ImapServer(
            self.folders,
            *self.oddities,
            capabilities=self.capabilities,
            permanent=self.permanent,
            separator=self.separator,
            prefix=self.prefix,
        )


@dataclass
class Pair:
    """A move to be made; ``later`` are messages that come between two passes, by folder."""

    old: Described
    new: Described
    later: dict[bytes, list[Mail]]
    passes: int


@st.composite
def mails(draw: st.DrawFn, first: int = 1, last: int = HIGHEST) -> list[Mail]:
    """Messages of one folder: with and without Message-ID, some of them the same."""
    uids = draw(
        st.lists(st.integers(first, last), min_size=draw(st.sampled_from([0, 1, 3])), max_size=5, unique=True).map(
            sorted
        )
    )
    return [draw(mail(uid)) for uid in uids]


@st.composite
def mail(draw: st.DrawFn, uid: int) -> Mail:
    number = draw(st.integers(1, 5))
    known_as = draw(st.sampled_from([b"", b"Message-ID: <same@x>\r\n", b"Message-ID: <%d@x>\r\n" % number]))
    header = known_as + draw(st.sampled_from([b"", b"Date: Tue, 5 Mar 2024 09:00:00 +0000\r\n"]))
    text = draw(st.sampled_from([b"the same text", b"text %d" % number, b"BODY[] {3}\r\n) FLAGS (\\Seen)", b"x" * 300]))
    body = header + b"Subject: mail %d\r\n\r\n%s\r\n" % (draw(st.sampled_from([uid, number])), text)
    flags = " ".join(draw(st.lists(st.sampled_from(FLAGS), max_size=3, unique=True).map(sorted)))
    day, hour = draw(st.integers(1, 28)), draw(st.integers(0, 23))
    size = draw(st.sampled_from([None, None, None, 0, 3, 10**7]))
    return Mail(uid, body, flags, f"{day:02d}-Feb-2024 {hour:02d}:00:00 +0100", size)


@st.composite
def folders(draw: st.DrawFn) -> dict[bytes, Folder]:
    """A mailbox; a folder that cannot be selected holds nothing."""
    found = {b"INBOX": Folder(draw(mails()))}
    few = draw(st.sampled_from([0, 1, 2, 4]))
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=few, max_size=6, unique=True)):
        if draw(st.integers(0, 7)) == 7:
            found[name] = Folder(attributes="\\Noselect")
        else:
            ahead = draw(st.sampled_from([1, 1, 1, 500]))
            found[name] = Folder(draw(mails()), subscribed=draw(st.booleans()), uidnext=ahead)
    return found


_uids = st.integers(1, HIGHEST)
_some_uids = st.frozensets(_uids, min_size=1, max_size=3)
_name = st.sampled_from((b"INBOX", *NAMES[:6]))
_byes = st.sampled_from([b"", b"* BYE Connection closed. 14\r\n", b"* BYE too many errors\r\n"])
_no = st.sampled_from(
    [
        b"NO cannot",
        b"BAD Command Argument Error. 11",
        b"NO [SERVERBUG] Internal error",
        b"NO [LIMIT] too much",
        b"NO [UNAVAILABLE] not now",
        b"NO [CANNOT] never",
    ]
)
_texts = st.sampled_from([b"mail 1\r\n", b"mail 2\r\n", b"text 3", b"<same@x>"])


def _when(verb: str, *, named: bool) -> st.SearchStrategy[odd.When]:
    after, times = st.sampled_from([0, 0, 1, 2]), st.sampled_from([None, None, 1, 2])
    return st.builds(odd.When, st.just(verb), name=_name if named else st.none(), after=after, times=times)


_ROWS: tuple[st.SearchStrategy[Oddity], ...] = (
    st.builds(rows.RowSays, st.just(b"INTERNALDATE"), st.sampled_from([None, b"NIL", b'"never"']), st.none() | _uids),
    st.builds(rows.RowSays, st.just(b"RFC822.SIZE"), st.sampled_from([None, b"NIL", b"-1", b"0"]), st.none() | _uids),
    st.builds(rows.ItemsInOrder, st.integers(0, 9), st.sampled_from([(), (b"UID",), (b"FLAGS", b"UID")])),
    st.builds(rows.SplitRows, st.sampled_from([b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"]), st.booleans()),
    st.builds(rows.MoreItems, st.sampled_from(["header", "envelope", "structure", "text first", "words", "nested"])),
    st.builds(rows.SpaceBeforeEnd),
    st.builds(rows.Descending, st.none() | st.integers(0, 3)),
    st.builds(rows.RowsTwice, st.none() | _uids),
    st.builds(rows.ShortTextsQuoted),
)
_NOISE: tuple[st.SearchStrategy[Oddity], ...] = (
    st.builds(noise.Chatter),
    st.builds(noise.RowsOfOthers, st.booleans()),
    st.builds(noise.CountsAgain),
    st.builds(noise.NamesAsLiterals),
    st.builds(noise.LowerCase),
)
_LISTS: tuple[st.SearchStrategy[Oddity], ...] = (
    st.builds(lists.ListStops, st.integers(1, 4), verb=st.sampled_from(["LIST", "LSUB"])),
    st.builds(lists.ListsByLevel),
    st.builds(lists.lsub_refused),
    st.builds(lists.namespace_refused),
    st.builds(lists.return_refused),
    st.builds(lists.highestmodseq_refused),
    st.builds(lists.changedsince_refused),
    st.builds(
        lists.StatusWithout,
        st.sampled_from([(), (b"UIDNEXT",), (b"MESSAGES",), (b"UIDVALIDITY", b"UIDNEXT")]),
        st.none() | _name,
        st.booleans(),
    ),
    st.builds(lists.StatusSilent),
    st.builds(lists.StatusSpelled, st.sampled_from([bytes.upper, bytes.lower])),
    st.builds(lists.StatusSays, st.sampled_from([b"UIDNEXT", b"MESSAGES"]), st.sampled_from([b"NIL", b"0", b"900"])),
    st.builds(lists.ListedTwice, _name, st.booleans()),
)
_OPENING: tuple[st.SearchStrategy[Oddity], ...] = (
    st.sampled_from(["STATUS", "EXAMINE"]).flatmap(lambda v: st.builds(odd.Refuses, _when(v, named=True), _no)),
    st.sampled_from(["STATUS", "EXAMINE"]).flatmap(lambda v: st.builds(odd.HangsUp, _when(v, named=True), _byes)),
    st.builds(odd.KeepsFolderOpen),
    st.builds(odd.WantsId),
    st.builds(odd.EmptyFetchBad),
    st.builds(odd.NewUidvalidity),
)
_READING: tuple[st.SearchStrategy[Oddity], ...] = (
    st.builds(odd.ReadingKills, _uids, _name, _byes),
    st.builds(odd.ReadingRefused, _some_uids, _no, _name),
    st.builds(odd.ReadingRefused, _some_uids, _no, _name, st.just(b"RFC822.SIZE")),
)
_TAKING: tuple[st.SearchStrategy[Oddity], ...] = (
    st.builds(odd.Refuses, st.builds(odd.When, st.just("APPEND"), holding=_texts), _no),
    st.builds(odd.HangsUp, st.builds(odd.When, st.just("APPEND"), holding=_texts), _byes),
    st.sampled_from(["CREATE", "SELECT", "SUBSCRIBE"]).flatmap(
        lambda verb: st.builds(odd.Refuses, _when(verb, named=True), _no)
    ),
    st.builds(targets.FoldsCase),
    st.builds(targets.KeywordLimit, st.integers(0, 3)),
    st.builds(targets.Drops, _texts),
    st.builds(targets.WrongAppendUid, st.sampled_from([1, -1, 50])),
    st.builds(targets.WrongAppendUid, always=st.just(1)),
    st.builds(targets.RefusesNames),
    st.builds(targets.CreatesAndDoesNotOpen),
    st.builds(targets.RefusesLiteral, st.just(250)),
    st.builds(lists.WantsPrefix, st.just(b"INBOX.")),
)
_LAST: tuple[st.SearchStrategy[Oddity], ...] = (st.builds(odd.ClosesAfterErrors, st.integers(2, 10)),)


@st.composite
def _mixture(draw: st.DrawFn, *kinds: Sequence[st.SearchStrategy[Oddity]]) -> list[Oddity]:
    """Up to four, those that refuse first and those that only spell otherwise last."""
    every = [(number, strategy) for number, kind in enumerate(kinds) for strategy in kind]
    few = draw(st.sampled_from([0, 1, 2]))
    chosen = draw(st.lists(st.sampled_from(range(len(every))), min_size=few, max_size=4, unique=True))
    return [draw(every[place][1]) for place in sorted(chosen, key=lambda place: (every[place][0], place))]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two servers, each with a mixture of its own; some have none."""
    source, held = draw(folders()), draw(st.sampled_from([(), (b"INBOX",), (b"Work", b"Projects"), (b"WORK",)]))
    later = {name: draw(mails(50, 53)) for name, folder in source.items() if folder.selectable and draw(st.booleans())}
    permanent = draw(st.sampled_from([r"\Answered \Flagged \Deleted \Seen \Draft \*", "", None]))
    separator, prefix = draw(st.sampled_from([("/", ""), (".", ""), (".", "INBOX.")]))
    before = {name: Folder([Mail(3, b"Subject: there\r\n\r\nthere already in %s\r\n" % name)]) for name in held}
    here = draw(_mixture(_OPENING, _LISTS, _READING, _ROWS, _LAST, _NOISE))
    there = draw(_mixture(_TAKING, _OPENING, _LISTS, _ROWS, _LAST, _NOISE))
    if any(isinstance(each, lists.WantsPrefix) for each in there):
        separator, prefix, before = ".", "", {}
    old_can, new_can = draw(st.sampled_from(CAPABILITIES)), draw(st.sampled_from(CAPABILITIES))
    return Pair(
        Described(source, here, old_can),
        Described(before, there, new_can, permanent, separator, prefix),
        later,
        draw(st.integers(1, 2)),
    )
