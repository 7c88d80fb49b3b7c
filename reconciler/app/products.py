"""The products by their names; a product's module is loaded only when it is asked for."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel

from reconciler.extend import Backend
from reconciler.plugins import declared, folders_with

_FAMILY: Final = "reconciler.products"


class Products(Mapping[str, Backend]):
    """Those with one module, ``server`` or ``dns``, by the names of their folders."""

    def __init__(self, module: str) -> None:
        """Loads none of them."""
        self._module = module
        self._names = folders_with(module, _FAMILY)

    def __getitem__(self, name: str) -> Backend:
        """Load the product."""
        if name not in self._names:
            raise KeyError(name)
        return declared(f"{_FAMILY}.{name}.{self._module}", Backend)

    def __contains__(self, name: object) -> bool:
        """Without loading it."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._names)


class Options(Mapping[str, type[BaseModel]]):
    """Name to the model of a product's options: what loading a spec needs to know."""

    def __init__(self, products: Products) -> None:
        """Loads none of them."""
        self._products = products

    def __getitem__(self, name: str) -> type[BaseModel]:
        """Load the product."""
        return self._products[name].options

    def __contains__(self, name: object) -> bool:
        """Without loading it."""
        return name in self._products

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(self._products)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._products)


SERVERS: Final = Products("server")
ZONES: Final = Products("dns")
