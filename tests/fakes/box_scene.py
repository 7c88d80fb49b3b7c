"""A fake Mail-in-a-Box with an administrator's secrets, and the backends opened over it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.errors import SecretError
from reconciler.extend import Backend, Context, Opened
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.secret import Secret
from reconciler.products.mailinabox import box
from tests.fakes.mailinabox import FakeBox
from tests.support.clock import FakeClock

PASSWORD = "AdminPass-123"
TOTP = "XSWGE3CGRYK7XTKSGAJJ4TX7JFMGXMXM"
DOMAIN = "example.org"


class BoxSecrets:
    def __init__(self) -> None:
        self.known = {"env:ADMIN": PASSWORD, "env:TOTP": TOTP, "env:NEW": "New-Pass-1"}

    def reveal(self, reference: str, /) -> Secret:
        if reference not in self.known:
            raise SecretError(f"{reference} leads nowhere")
        return Secret(self.known[reference])


class BoxScene:
    """What is opened is closed with the test. Pauses move the clock on."""

    def __init__(self, backend: Backend, place: Place, **options: Any) -> None:
        self.backend, self.place = backend, place
        self.options = options
        self.clock = FakeClock()
        self.secrets = BoxSecrets()
        self.fake = FakeBox(self.clock)
        self.pauses: list[float] = []
        self.closing: list[Callable[[], None]] = []
        self._opened: Opened | None = None

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def open(self, place: Place | None = None, domain: str = DOMAIN, **options: Any) -> Opened:
        given = {"url": self.fake.url, "email": self.fake.admin, "password": "env:ADMIN", **self.options, **options}
        chosen = self.backend.options.model_validate({k: v for k, v in given.items() if v is not None})
        context = Context(place or self.place, domain, Path("/"), self.secrets, self.clock)
        opened = self.backend.open(chosen, context)
        self.closing.append(opened.close)
        return opened

    @property
    def opened(self) -> Opened:
        self._opened = self._opened or self.open()
        return self._opened

    def close(self) -> None:
        for close in self.closing:
            close()
        self.fake.stop()

    def user(self, local: str, domain: str = DOMAIN, **more: str) -> None:
        self.fake.state.add_user({"email": f"{local}@{domain}", "password": "Some-Pass-1", **more})

    def alias(self, address: str, targets: str, **more: str) -> None:
        self.fake.state.add_alias({"address": address, "forwards_to": targets, "update_if_exists": "1", **more})

    def read(self, kind: str) -> dict[str, Any]:
        return {resource.name: resource for resource in self.opened.stores[kind].read()}

    def make(self, resource: Resource) -> None:
        self.opened.stores[resource.kind].write([Change(None, resource)])

    def change(self, before: Resource | None, after: Resource | None) -> None:
        change = Change(before, after)
        self.opened.stores[change.address.kind].write([change])


def boxes() -> int:
    """How many boxes this process holds."""
    return len(box._boxes)
