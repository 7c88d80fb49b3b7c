"""A Postfix map: its source file and, for the types that have one, the index that postmap makes of it."""

from pathlib import PurePath
from typing import Final, Generic, TypeVar

from reconciler.errors import WriteError
from reconciler.ports import WHATEVER, Whatever
from reconciler.stores.attempt import Attempt
from reconciler.stores.line_file import LineFile

INDEXES: Final = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}
TYPES: Final = (*INDEXES, "texthash")
_MODE: Final = 0o644  # of a new file: Postfix reads it under several users, and addresses are no secret to the machine

T = TypeVar("T")


class PostfixMap(Generic[T]):
    """One ``TYPE:PATH`` of main.cf. ``type`` empty: a list file, which Postfix reads itself, as it does texthash.

    What Postfix looks at is the index, and what every plan looks at is the source. So the index comes first: a run that
    is killed in between leaves a source that still lacks the change, and the next one makes both.
    """

    def __init__(
        self,
        file: LineFile[T],
        *,
        type: str,  # noqa: A002 - Postfix's own word
        postmap: str | None = None,
        reload: tuple[str, ...] = (),
    ) -> None:
        """``postmap``: the program, looked for on the machine if None. ``reload`` runs where there is no index."""
        self.file = file
        self._transport = file.transport
        self._type = type
        self._postmap = postmap
        self._reload = reload

    @property
    def path(self) -> PurePath:
        """The source file."""
        return self.file.path

    def write(self, attempt: Attempt, content: bytes | None, *, over: bytes | Whatever | None = WHATEVER) -> None:
        """Replace the source (None: remove it, and its index) and have Postfix see it; ``over`` as for Attempt.write.

        Raises:
            StalePlan: the source is not what was read.
            WriteError: the file could not be written or postmap refused it; the attempt puts it back.

        """
        suffix = INDEXES.get(self._type)
        index = self.path.with_name(self.path.name + suffix) if suffix else None
        program = self._program() if index and content is not None else None
        if index:
            attempt.keep(index)
        if index and program and content is not None:
            self._index_ahead(attempt, program, index, content)
        attempt.write(self.path, content, mode=_MODE, over=over)
        if program:
            attempt.run(
                (program, f"{self._type}:{self.path}")
            )  # once more, for Postfix warns of an index that is older
        elif index and content is None:
            attempt.remove(index)
        elif index is None and self._reload:
            attempt.run(self._reload, again=True)

    def _index_ahead(self, attempt: Attempt, program: str, index: PurePath, content: bytes) -> None:
        """The index of what the source is about to be, made beside it and put into its place in one moment."""
        ahead = self.path.with_name(f".{self.path.name}.ahead")
        made = ahead.with_name(ahead.name + INDEXES[self._type])
        try:
            self._transport.write(ahead, content, like=self._transport.stat(self.path), mode=_MODE)
            attempt.run((program, f"{self._type}:{ahead}"))
            attempt.run(("mv", "-f", str(made), str(index)))
        finally:
            self._transport.remove(made)
            self._transport.remove(ahead)

    def _program(self) -> str | None:
        if self._postmap is None:
            return self._transport.which("postmap")
        found = self._transport.which(self._postmap)
        if found is None:
            raise WriteError(
                f"{self._postmap} is not on the machine, so {self.path} would have no index and Postfix would not see "
                "the change; mend the option postmap"
            )
        return found
