"""Find the one declared value of each module in a family."""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TypeVar

T = TypeVar("T")


def discover(family: str, declares: type[T]) -> dict[str, T]:
    """Map module name to its declared value, in alphabetical order.

    Folders, and modules whose name begins with an underscore, are the family's own furniture and are left out.

    Raises:
        TypeError: a module of the family declares none, or more than one.

    """
    return {name: declared(f"{family}.{name}", declares) for name in members(family)}


def members(family: str) -> tuple[str, ...]:
    """The names of a family's modules, in alphabetical order; loads none of them."""
    return tuple(name for name in _modules(import_module(family).__path__) if not name.startswith("_"))


def folders_with(module: str, family: str) -> tuple[str, ...]:
    """The names of the folders of a family that hold such a module, in alphabetical order; loads none of them."""
    paths = import_module(family).__path__
    folders = {info.name: PathFinder.find_spec(info.name, paths) for info in pkgutil.iter_modules(paths) if info.ispkg}
    return tuple(
        sorted(name for name, spec in folders.items() if spec and module in _modules(spec.submodule_search_locations))
    )


def declared(module_name: str, declares: type[T]) -> T:
    """The one value of type ``declares`` that stands in a module; importing it is all that it costs.

    Raises:
        TypeError: the module declares none, or more than one.

    """
    module = import_module(module_name)
    values = [value for value in vars(module).values() if isinstance(value, declares)]
    if len(values) != 1:
        msg = f"{module_name} must declare exactly one {declares.__name__}"
        raise TypeError(msg)
    return values[0]


def _modules(paths: Iterable[str] | None) -> list[str]:
    return sorted(info.name for info in pkgutil.iter_modules(paths) if not info.ispkg)
