"""The locks of this very process: one that could not be given back, for want of the database, is nobody's."""

import os
from typing import Any, Final

from sqlalchemy import Row

from reconciler.transports.process import Life, life_of, processes

_tokens: Final[set[str]] = set()


def begin(token: str) -> None:
    """From now on rows with this token are held."""
    _tokens.add(token)


def end(token: str) -> None:
    """From now on they are not, whether they could be removed or not."""
    _tokens.discard(token)


def life_of_holder(holder: Row[Any]) -> Life:
    """Of whoever wrote a row of ``locks``."""
    is_ours = holder.pid == os.getpid() and holder.processes == processes() != ""
    if is_ours and holder.token not in _tokens:
        return Life.ENDED
    return life_of(holder.processes, holder.pid)
