"""A fingerprint of the source a stage depends on, so that a workflow can tell that its code has changed.

Snakemake sees changes of a rule's script but not of the package the script imports; rules carry this fingerprint as a parameter. Only the
standard library is used, because the workflow is read where the package's dependencies may not be installed.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent


def source_fingerprint(*modules: str, root: Path = ROOT) -> str:
    """Hash the source of modules of this package and of all they import from it.

    Parameters
    ----------
    *modules : str
        Names without the package's, such as "binned" or "flux.read"; none stands for the whole package.
    root : Path
        Folder of the package.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a SHA-256. A comment or a blank line does not change it; code and docstrings do.

    Raises
    ------
    ModuleNotFoundError
        If the package has no such module.
    """
    pending = list(modules) or [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(root.rglob("*.py"))]
    seen: dict[Path, str] = {}
    while pending:
        path = _module_path(pending.pop(), root)
        if path in seen:
            continue
        text = path.read_text(encoding="utf-8")
        seen[path] = _parsed(text)[0]
        pending.extend(imported_modules(text, root))
    listed = "".join(f"{path.relative_to(root).as_posix()} {seen[path]}\n" for path in sorted(seen))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def script_fingerprint(script: Path, root: Path = ROOT) -> str:
    """Hash the source of all modules of this package that a script imports, directly or not; the script itself is not in it."""
    return source_fingerprint(*imported_modules(script.read_text(encoding="utf-8"), root), root=root)


def imported_modules(text: str, root: Path = ROOT) -> Iterator[str]:
    """Give the modules of this package that a module's source imports, those inside functions included."""
    for name in _parsed(text)[1]:
        if name.startswith(f"{root.name}.") and _find(name.removeprefix(f"{root.name}."), root) is not None:
            yield name.removeprefix(f"{root.name}.")


@functools.cache
def _parsed(text: str) -> tuple[str, tuple[str, ...]]:
    """Give a hash of a source's meaning and all that it imports; kept, because the rules of a workflow share most of their modules."""
    tree = ast.parse(text)
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from package.room import x": x can be a module of the room or a name in it.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    # The parsed form, not the text: Python's own dump is stable within one version of Python, and a run has one.
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(names)


def _find(name: str, root: Path) -> Path | None:
    base = root.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def _module_path(name: str, root: Path) -> Path:
    path = _find(name, root) if name != "__init__" else root / "__init__.py"
    if path is None:
        raise ModuleNotFoundError(f"{root.name} has no module {name}")
    return path
