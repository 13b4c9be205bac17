"""Make the files of a span available on this machine, and say exactly which bytes they are."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd
import platformdirs
import requests

from ringdecay.archive import web
from ringdecay.archive.lock import make_lock
from ringdecay.archive.periods import When
from ringdecay.archive.planning import ArchiveFile, open_root, plan
from ringdecay.errors import ArchiveError
from ringdecay.products import get_product

logger = logging.getLogger(__name__)

# With so many downloads failed the rest is not tried: the server is down or the address wrong, not one file bad.
MAX_FAILURES = 5
# More faults than these are counted, not shown.
MAX_SHOWN = 20


class _LocalError(ArchiveError):
    """A file on this machine is not what it should be; the others are worth a look."""


@dataclass(frozen=True, eq=False)
class Fetched:
    """The files of a span.

    Attributes
    ----------
    files : list of Path
        On this machine, in the order of their dates.
    lock : pandas.DataFrame
        One row a file; see `read_lock` for the columns.
    missing : pandas.DatetimeIndex
        Days, months or years of the span for which there is no file.
    superseded : tuple of str
        Names that were ignored because a newer version is there.
    """

    files: list[Path]
    lock: pd.DataFrame
    missing: pd.DatetimeIndex
    superseded: tuple[str, ...]


def default_cache() -> Path:
    """Folder for downloaded files: the environment variable RINGDECAY_CACHE, else the platform's cache folder of the user."""
    given = os.environ.get("RINGDECAY_CACHE")
    return Path(given).expanduser().absolute() if given else platformdirs.user_cache_path("ringdecay")


def fetch(
    product: str,
    probe: str | None,
    start: When,
    stop: When,
    archive: str | PathLike[str],
    *,
    cache: str | PathLike[str] | None = None,
    lock: pd.DataFrame | None = None,
) -> Fetched:
    """Make all files of a product that touch a span available, the newest version of each.

    A file that is there already is not loaded again. Without a lock, a downloaded file is taken as current if its size is the
    archive's, and, where the name carries no version, its time of modification too.

    Parameters
    ----------
    product : str
        Name of a product, see `ringdecay.products`.
    probe : str or None
        "a" or "b"; None for a product without a probe, such as an index.
    start, stop : str, date, datetime or datetime64
        The span in UTC, `start` inclusive and `stop` exclusive.
    archive : str or path-like
        A folder laid out like SPDF's /pub/data, whose files are used in place, or an http(s) URL of the same layout.
    cache : path-like, optional
        Folder for downloaded files, at the same path as in the archive; `default_cache()` if not given.
    lock : pandas.DataFrame, optional
        From an earlier fetch: use exactly its files and nothing else, without listing the archive. Files that are not here are
        loaded, and all must have the size and the sha256 that the lock says.

    Returns
    -------
    Fetched

    Raises
    ------
    InputError
        If the product, the probe, the span or the archive does not make sense.
    ArchiveError
        If the archive cannot be listed, a file cannot be loaded whole, or a file is not the one that the lock names. All other
        files are kept, so the next call has only the rest to load.
    """
    chosen = plan(product, probe, start, stop, archive, lock=lock)
    root = open_root(archive)
    if isinstance(root, Path):
        folder = root
        states = _each(chosen.files, lambda file: _checked_state(folder / file.path, file), "checked")
    else:
        folder = Path(cache).expanduser().absolute() if cache is not None else default_cache()
        with web.open_session() as session:
            states = _each(chosen.files, lambda file: _load(session, folder / file.path, file), "fetched")
    rows: list[dict[str, object]] = [
        {
            "product": file.product, "probe": file.probe, "date": file.date, "version": file.version, "size": state.size,
            "sha256": state.sha256, "modified": state.modified, "path": file.path, "url": file.url,
        }
        for file, state in zip(chosen.files, states, strict=True)
    ]  # fmt: skip
    return Fetched([folder / file.path for file in chosen.files], make_lock(rows), chosen.missing, chosen.superseded)


@dataclass(frozen=True)
class _State:
    size: int
    sha256: str
    modified: pd.Timestamp


def _load(session: requests.Session, local: Path, file: ArchiveFile) -> _State:
    """Download a file if it is not here already."""
    if local.is_file() and (file.sha256 is not None or _is_current(session, local, file)):
        return _checked_state(local, file)
    try:
        size, digest = web.download(session, file.url, local, get_product(file.product).format, file.sizes, file.sha256)
        return _State(size, digest, _whole_second(local.stat().st_mtime))
    except OSError as error:
        raise ArchiveError(f"{local} could not be written ({error}); make room or name another cache folder") from error


def _is_current(session: requests.Session, local: Path, file: ArchiveFile) -> bool:
    """Whether a downloaded file is still the archive's, as far as that can be known without loading it."""
    here = local.stat()
    if file.version and file.sizes is not None and file.sizes[0] == file.sizes[1]:
        return here.st_size == file.sizes[0]
    size, modified = web.remote_state(session, file.url)
    # A name without a version is replaced in place, and a table of fixed width keeps its size.
    return here.st_size == size and (bool(file.version) or here.st_mtime == modified)


def _checked_state(local: Path, file: ArchiveFile) -> _State:
    """Size, sha256 and time of a local file, compared with the lock if the file comes from one."""
    try:
        with local.open("rb") as stream:
            status, digest = os.fstat(stream.fileno()), hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise _LocalError(f"{local} is not there") from error
    except OSError as error:
        raise _LocalError(f"{local} could not be read ({error})") from error
    if file.sha256 is not None and digest != file.sha256:
        size = f"{status.st_size} bytes, the lock has {file.sizes[0]}" if file.sizes and status.st_size != file.sizes[0] else "same size"
        raise _LocalError(
            f"{local} has changed since the lock was made ({size}, other sha256); restore or delete it, or fetch without the lock"
        )
    return _State(status.st_size, digest, _whole_second(status.st_mtime))


def _whole_second(seconds: float) -> pd.Timestamp:
    return pd.Timestamp(int(seconds), unit="s")


def _each(files: tuple[ArchiveFile, ...], action: Callable[[ArchiveFile], _State], verb: str) -> list[_State]:
    """Do `action` for all files, some at a time, and log the progress about every tenth.

    One bad file does not stop the others; all faults are told in the end.
    """
    states: dict[int, _State] = {}
    faults: list[str] = []
    failures = 0
    step = math.ceil(len(files) / 10)
    pool = ThreadPoolExecutor(web.MAX_CONNECTIONS)
    try:
        futures = {pool.submit(action, file): position for position, file in enumerate(files)}
        for done, future in enumerate(as_completed(futures), start=1):
            try:
                states[futures[future]] = future.result()
            except ArchiveError as error:
                faults.append(str(error).rstrip("."))
                failures += not isinstance(error, _LocalError)
                if failures == MAX_FAILURES:
                    break
            if done % step == 0 or done == len(files):
                size = sum(state.size for state in states.values())
                logger.info("%s %d of %d files, %.3g MB", verb, len(states), len(files), size / 1e6)
    finally:
        # Also after Ctrl-C: what has not begun is not begun.
        pool.shutdown(cancel_futures=True)
    if faults:
        rest = len(files) - len(states) - len(faults)
        untried = f"; {rest} more were not waited for" if rest else ""
        shown = sorted(faults)[:MAX_SHOWN] + [f"and {len(faults) - MAX_SHOWN} more"] * (len(faults) > MAX_SHOWN)
        raise ArchiveError(f"{len(faults)} of {len(files)} files could not be used{untried}:\n" + "\n".join(shown))
    return [states[position] for position in range(len(files))]
