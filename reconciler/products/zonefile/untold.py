"""That a zone file was written and its name server not told yet: a mark on disk, which outlives a killed run.

A file that nobody has loaded looks settled to every plan, and the time that caches are waited for would be counted from
a change that nobody serves. So the mark is made before the file is replaced and goes when the reload has succeeded.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import WriteError
from reconciler.transports import owner_files


@dataclass(frozen=True, slots=True)
class Untold:
    """The mark of one zone file, in the folder beside the spec where the zone's earlier texts are kept."""

    mark: Path

    @classmethod
    def of(cls, zone: Path, folder: Path) -> "Untold":
        """Zones that share the folder have each their own."""
        return cls(folder / f"untold-{hashlib.sha256(os.fsencode(zone)).hexdigest()[:16]}")

    def __bool__(self) -> bool:
        """Whether the name server is still to be told."""
        return self.mark.exists()

    def note(self) -> None:
        """Before the zone file is replaced.

        Raises:
            WriteError: it could not be noted; the zone file is as it was.

        """
        try:
            owner_files.make_folder(self.mark.parent)
        except OSError as error:
            raise WriteError(
                f"{self.mark.parent} could not be made: {(error.strerror or str(error)).lower()}. There it is noted "
                "that the name server is to be told; the zone is as it was. Mend that and apply again"
            ) from error
        owner_files.write(self.mark, b"")

    def told(self) -> None:
        """After the reload has succeeded."""
        self.mark.unlink(missing_ok=True)
