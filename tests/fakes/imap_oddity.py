"""What makes a scripted IMAP server another than the ordinary one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.fakes.imap_folders import Folder
from tests.fakes.imap_replies import Reply
from tests.fakes.imap_words import Command

if TYPE_CHECKING:
    from tests.fakes.imap_server import Connection


class Oddity:
    """One way in which real servers differ; several can be put on one server, and each may alter what others say."""

    def hear(self, at: "Connection", command: Command, /) -> Reply | None:
        """Answer in the server's place; None leaves the command to others."""
        return None

    def tell(self, at: "Connection", command: Command, reply: Reply, /) -> None:
        """Alter what the server is about to say."""

    def find(self, folders: Mapping[bytes, Folder], name: bytes, /) -> bytes | None:
        """The folder that the server takes for the one of that name; None leaves it to others."""
        return None

    def literal(self, at: "Connection", command: Command, size: int, /) -> bytes | None:
        """Words that refuse a literal before it is sent; None lets it come."""
        return None
