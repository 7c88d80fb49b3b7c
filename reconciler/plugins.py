"""Find the one declared value of each module in a family."""

import pkgutil
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


def discover(family: str, declares: type[T]) -> dict[str, T]:
    """Map module name to its declared value, in alphabetical order.

    Modules whose name begins with an underscore are the family's own furniture and are left out.

    Raises:
        TypeError: a module of the family declares none, or more than one.

    """
    names = [info.name for info in pkgutil.iter_modules(import_module(family).__path__)]
    return {name: declared(f"{family}.{name}", declares) for name in sorted(names) if not name.startswith("_")}


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
