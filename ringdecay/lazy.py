"""Names of a package that are loaded on first use, so that who draws one figure does not wait for what the others need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def on_first_use(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the functions `__getattr__` and `__dir__` of a package.

    Parameters
    ----------
    package : str
        The package's `__name__`.
    homes : mapping of str to str
        For every name, the module of the package that holds it; a module's own name has an empty home.

    Returns
    -------
    get, names : callable
        `get` raises AttributeError for any other name.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        value = getattr(import_module(f"{package}.{home}"), name) if home else import_module(f"{package}.{name}")
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        # Without what the module needs for itself, so that completion offers what is meant for users.
        return sorted({*homes, *(name for name in vars(sys.modules[package]) if name.startswith("__"))})

    return get, names
