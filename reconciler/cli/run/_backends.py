"""The products of a family by their names; a product's module is loaded only when it is asked for."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from pydantic import BaseModel

from reconciler.extend import Backend
from reconciler.plugins import declared

SERVERS: Final = "reconciler.backends.server"
ZONES: Final = "reconciler.backends.dns"


class Options(Mapping[str, type[BaseModel]]):
    """Name to the model of its options: what loading a spec needs to know."""

    def __init__(self, family: str) -> None:
        """``family`` is the package that holds the products."""
        self._family = family
        modules = pkgutil.iter_modules(import_module(family).__path__)
        self._names = sorted(module.name for module in modules if not module.name.startswith("_"))

    def __getitem__(self, name: str) -> type[BaseModel]:
        """Load the product."""
        if name not in self._names:
            raise KeyError(name)
        return backend(self._family, name).options

    def __contains__(self, name: object) -> bool:
        """Without loading it."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._names)


def backend(family: str, name: str) -> Backend:
    """The product."""
    return declared(f"{family}.{name}", Backend)
