"""What stands in the target folder already under another program's name: matched as over IMAP, as multisets."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.mailcopy.files.files import Inside, MaildirFiles
from reconciler.mailcopy.files.job import Source
from reconciler.mailcopy.files.work import Work
from reconciler.mailcopy.model.batches import FEWEST, batches
from reconciler.mailcopy.model.matching import Text, match, pair_by_text
from reconciler.mailcopy.model.message import Identity, Row, identify, text_digest


def recognise(
    source: Source, target: MaildirFiles, work: Work, rows: Sequence[Row], strangers: Sequence[Row]
) -> Mapping[int, int]:
    """Source number to target number of each of ``rows`` that is one of ``strangers``.

    Date, size and header decide first; what they leave open is read on both sides and compared as text.

    Raises:
        MachineFailed: a side cannot be read.

    """
    here = {n: identify(head) for n, head in source.heads(work.here, [row.uid for row in rows]).items()}
    there = {n: identify(head) for n, head in target.heads(work.there, [row.uid for row in strangers]).items()}
    found = match(rows, strangers, here, there)
    if not found.open_source:
        return found.pairs
    mine = _texts(source, work.here, rows, found.open_source, here)
    theirs = _texts(target, work.there, strangers, found.open_target, there)
    return {**found.pairs, **pair_by_text(mine, theirs)}


def _texts(
    side: Source, inside: Inside, rows: Sequence[Row], open_: Iterable[int], who: Mapping[int, Identity]
) -> list[Text]:
    wanted = set(open_)
    found = []
    for group in batches([row for row in rows if row.uid in wanted], FEWEST):
        texts = side.contents(inside, [row.uid for row in group])
        found += [
            Text(row.uid, who[row.uid], text_digest(texts[row.uid]), row.arrived) for row in group if row.uid in texts
        ]
    return found
