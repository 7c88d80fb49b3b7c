"""A server's files in a folder, and the stores over them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import SecretError
from reconciler.extend import Context, Opened
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.secret import Secret
from reconciler.ports import Transport
from reconciler.products.postfix_dovecot.server import Options, open_server
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.transports.local import LocalTransport
from tests.support.clock import FakeClock

DOMAIN = "example.org"
HASH = (
    "{SHA512-CRYPT}$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"
)
MAIN_FILES = ("users", "virtual")


class KnownSecrets:
    """References to what a test says; everything else leads nowhere."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def reveal(self, reference: str, /) -> Secret:
        if reference not in self.known:
            raise SecretError(f"{reference} leads nowhere")
        return Secret(self.known[reference])


class World:
    """``users`` and ``virtual`` (a texthash, so that no index is needed) in a folder."""

    def __init__(self, folder: Path, users: str | None = "", virtual: str | None = "", **options: Any) -> None:
        self.folder = folder
        self.secrets = KnownSecrets()
        self.options: dict[str, Any] = {
            "passwd_file": "users",
            "virtual_alias_maps": "texthash:virtual",
            "mail_home": "home/%d/%n",
            **options,
        }
        for name, text in zip(MAIN_FILES, (users, virtual), strict=True):
            if text is not None:
                self.put(name, text)
        self._opened: Opened | None = None

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_bytes().decode() if path.exists() else None

    def everything(self) -> dict[str, bytes]:
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def open(self, place: Place = Place.NEW, transport: Transport | None = None) -> Opened:
        context = Context(place, DOMAIN, self.folder, self.secrets, FakeClock())
        self._opened = open_server(Options(**self.options), context, transport or LocalTransport())
        return self._opened

    @property
    def opened(self) -> Opened:
        return self._opened or self.open()

    def read(self, kind: str, names: set[str] | None = None) -> dict[str, Any]:
        return {resource.name: resource for resource in self.opened.stores[kind].read(names)}

    def write(self, *changes: Change) -> None:
        self.opened.stores[changes[0].address.kind].write(changes)

    def create(self, *resources: Resource) -> None:
        self.write(*(Change(None, resource) for resource in resources))

    def delete(self, *resources: Resource) -> None:
        """Remove what a reading shows of them."""
        for resource in resources:
            self.write(Change(self.read(resource.kind)[resource.name], None))

    def update(self, resource: Resource) -> None:
        self.write(Change(self.read(resource.kind)[resource.name], resource))

    def mailbox(self, local: str, display_name: str = "", secret: str | None = HASH) -> Mailbox:
        name = f"{local}@{DOMAIN}"
        if secret is not None:
            self.secrets.known[f"keep:{name}"] = secret
        return Mailbox(place=Place.NEW, name=name, display_name=display_name, password=f"keep:{name}")


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    """``world(users=…, virtual=…, **options)`` lays the files out in the test's folder."""
    return partial(World, tmp_path)


def alias(local: str, *targets: str) -> Alias:
    return Alias(place=Place.NEW, name=f"{local}@{DOMAIN}", targets=frozenset(targets))


def catch_all(*targets: str) -> CatchAll:
    return CatchAll(place=Place.NEW, name=DOMAIN, targets=frozenset(targets))


def quota(local: str, size: int) -> Quota:
    return Quota(place=Place.NEW, name=f"{local}@{DOMAIN}", size=size)
