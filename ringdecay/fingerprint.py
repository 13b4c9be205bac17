"""A fingerprint of the source a stage depends on, so that a workflow can tell that its code has changed.

Snakemake sees changes of a rule's script but not of the package the script imports; rules carry this fingerprint as a parameter. Only the
standard library is used, because the workflow is read where the package's dependencies may not be installed.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType

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
        The first 16 hexadecimal digits of a SHA-256. A comment or a blank line does not change it; code and docstrings do, and so does any
        change of a file beside the modules that is none, such as the style of the figures.

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
        seen[path] = _meaning(text)
        pending.extend(imported_modules(text, root))
    for folder in {path.parent for path in seen}:
        seen |= {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in _data(folder)}
    listed = "".join(f"{path.relative_to(root).as_posix()} {seen[path]}\n" for path in sorted(seen))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def script_fingerprint(script: Path, root: Path = ROOT) -> str:
    """Hash the source of all modules of this package that a script imports, directly or not; the script itself is not in it."""
    return source_fingerprint(*imported_modules(script.read_text(encoding="utf-8"), root), root=root)


@functools.cache
def imported_modules(text: str, root: Path = ROOT) -> tuple[str, ...]:
    """Give the modules of this package that a module's source imports, those inside functions included."""
    own = (name.removeprefix(f"{root.name}.") for name in _imports(ast.parse(text).body) if name.startswith(f"{root.name}."))
    return tuple(name for name in own if _find(name, root) is not None)


def _imports(statements: Iterable[ast.AST]) -> Iterator[str]:
    """Give all names that statements import; only statements are looked at, because an expression imports nothing."""
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from package.room import x": x can be a module of the room or a name in it.
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            inner = getattr(node, part, [])
            # The body of a lambda or of a conditional expression is an expression.
            yield from _imports(inner if isinstance(inner, list) else [])


def _data(folder: Path) -> Iterator[Path]:
    """Give the files of a room that are no modules: in its own folder, and in folders in it that are no rooms."""
    inner = (path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists())
    for place in (folder, *inner):
        yield from (path for path in place.iterdir() if path.is_file() and path.suffix not in (".py", ".pyc") and path.name[0] != ".")


@functools.cache
def _meaning(text: str) -> str:
    """Hash the meaning of a source; kept, because the rules of a workflow share most of their modules.

    The compiled form is hashed, without its line numbers: it is four times as quick to make as Python's dump of the parsed form. It is
    stable within one version of Python, and a run has one.
    """
    code = compile(text, "", "exec", dont_inherit=True, optimize=0)
    return hashlib.sha256(_constant(code).encode()).hexdigest()


def _constant(value: object) -> str:
    """Write down a constant of compiled code, or code itself, so that equal meaning gives equal text in every process."""
    if isinstance(value, CodeType):
        parts = (
            value.co_name, value.co_code, value.co_exceptiontable, value.co_flags, value.co_names, value.co_varnames, value.co_freevars,
            value.co_cellvars, value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount,
        )  # fmt: skip
        return f"code {parts!r} {_constant(value.co_consts)}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        # Its order changes from process to process.
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    return repr(value)


@functools.cache
def _find(name: str, root: Path) -> Path | None:
    base = root.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def _module_path(name: str, root: Path) -> Path:
    path = _find(name, root) if name != "__init__" else root / "__init__.py"
    if path is None:
        raise ModuleNotFoundError(f"{root.name} has no module {name}")
    return path
