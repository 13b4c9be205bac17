"""Make the files of a span available on this machine, and say exactly which bytes they are."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import pandas as pd

from ringdecay.archive import web
from ringdecay.archive.connections import threads
from ringdecay.archive.inspecting import Prospect, inspect, is_current, prospect
from ringdecay.archive.listing import Listed
from ringdecay.archive.lock import make_lock
from ringdecay.archive.periods import When
from ringdecay.archive.places import MAX_FAILURES, Archive, Place, Servers, file_url, list_place, local_path
from ringdecay.archive.planning import ArchiveFile, Plan, choose_again, plan, plan_locked
from ringdecay.errors import ArchiveError
from ringdecay.products import get_product
from ringdecay.progress import BYTES, Advance, progress

logger = logging.getLogger(__name__)

# More faults than these are logged, not shown in the error.
MAX_SHOWN = 20
# A simulated archive has its truth beside its files.
_TRUTH = "truth.nc"


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
        One row a file; see `read_lock` for the columns. `url` is the place that the file really came from or is used at.
    missing : pandas.DatetimeIndex
        Days, months or years of the span for which there is no file.
    superseded : tuple of str
        Names that were ignored because a newer version is there.
    undecided : tuple of str
        Names that were not taken although their version is that of the one taken.
    """

    files: list[Path]
    lock: pd.DataFrame
    missing: pd.DatetimeIndex
    superseded: tuple[str, ...]
    undecided: tuple[str, ...]


def fetch(
    product: str,
    probe: str | None,
    start: When,
    stop: When,
    archive: Archive,
    *,
    cache: str | PathLike[str] | None = None,
    lock: pd.DataFrame | None = None,
    lock_is_fresh: bool = False,
    offline: bool = False,
) -> Fetched:
    """Make all files of a product that touch a span available, the newest version of each.

    A file that is there already is not loaded again. Without a lock, a downloaded file is taken as current if its size is the
    archive's, and, where the name carries no version, its time of modification too. Two processes do not load the same file twice:
    the second waits and uses what the first has loaded.

    The places of an archive are mirrors: the same path means the same bytes. The cache keeps a file under its path alone, without the
    name of the server, so archives with different contents under the same names (a simulated one, say) need different cache folders;
    a file of another size is noticed and loaded again, one of the same size only with a lock.

    Parameters
    ----------
    product : str
        Name of a product, see `ringdecay.products`.
    probe : str or None
        "a" or "b"; None for a product without a probe, such as an index.
    start, stop : str, date, datetime or datetime64
        The span in UTC, `start` inclusive and `stop` exclusive.
    archive : str, path-like or a sequence of them
        Folders laid out like SPDF's /pub/data, whose files are used in place, and http(s) URLs of the same layout. For every day the
        first place that has a file decides which; if it cannot be had there, the other places are tried for the same name.
    cache : path-like, optional
        Folder for downloaded files, at the same path as in the archive; `default_cache()` if not given. Files and folders in it may be
        symbolic links; no name in a listing or a lock leads out of it.
    lock : pandas.DataFrame, optional
        From an earlier fetch: use exactly its files and nothing else, without listing the archive. Files that are not here are
        loaded, and all must have the size and the sha256 that the lock says.
    lock_is_fresh : bool
        Whether the lock was made earlier in the same run, from these files: then one that still has the size and the time of
        modification of the lock (to the second) is not hashed again.
    offline : bool
        Use only what is in the cache and in the folders of `archive`, without any network.

    Returns
    -------
    Fetched

    Raises
    ------
    InputError
        If the product, the probe, the span, the archive or the lock does not make sense.
    ArchiveError
        If the archive cannot be listed, a file cannot be loaded whole, or a file is not the one that the lock names. All other
        files are kept, so the next call has only the rest to load.
    """
    planned = plan(product, probe, start, stop, archive, cache=cache, lock=lock, lock_is_fresh=lock_is_fresh, offline=offline)
    return fetch_planned(planned)


def fetch_locked(
    lock: pd.DataFrame,
    archive: Archive,
    *,
    cache: str | PathLike[str] | None = None,
    offline: bool = False,
) -> Fetched:
    """Make exactly the files of a lock available, of whatever product and probe; see `fetch`.

    Rows of a user's own files, which are in no archive, are left out with a warning.
    """
    return fetch_planned(plan_locked(lock, archive, cache=cache, offline=offline))


@dataclass(frozen=True)
class _State:
    """A file that is here and was looked through."""

    file: ArchiveFile
    place: Place
    local: Path
    size: int
    sha256: str
    modified: pd.Timestamp


@dataclass(frozen=True)
class _Job:
    """What the threads of one fetch share."""

    servers: Servers
    cache: Path
    advance: Advance
    # Whether bytes that are loaded make the progress, or files that are looked through.
    in_bytes: bool
    # What directories held when they were listed once more.
    relisted: dict[tuple[Place, str], list[Listed]] = field(default_factory=dict)
    relisting: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int, expected: int | None = None) -> None:
        """Tell that `size` bytes have come, where another number may have been expected."""
        if self.in_bytes:
            self.advance(size, more=0 if expected is None else size - expected)


def fetch_planned(chosen: Plan) -> Fetched:
    """Make the files of a plan available; see `fetch`."""
    with web.open_session() as session:
        servers = Servers(session)
        prospects = inspect(servers, chosen)
        to_load = [one for one in prospects if one.local is None]
        # Without the size of each there is no time left to tell.
        total = sum(_about(one) for one in to_load) if all(one.sizes for one in to_load) else None
        work = ("fetching", total, BYTES) if to_load else ("checking", len(prospects), "files")
        with progress(*work) as advance:
            job = _Job(servers, chosen.cache, advance, in_bytes=bool(to_load))
            states = _each(job, prospects, offline=chosen.offline)
    rows: list[dict[str, object]] = [
        {
            "product": state.file.product, "probe": state.file.probe, "date": state.file.date, "version": state.file.version,
            "size": state.size, "sha256": state.sha256, "modified": state.modified, "path": state.file.path,
            "url": file_url(state.place, state.file.path),
        }
        for state in states
    ]  # fmt: skip
    lock = make_lock(rows)
    if any((place / _TRUTH).is_file() for place in {state.place for state in states} if isinstance(place, Path)):
        lock.attrs["simulated"] = "yes"
    return Fetched([state.local for state in states], lock, chosen.missing, chosen.superseded, chosen.undecided)


def _about(one: Prospect) -> int:
    return sum(one.sizes) // 2 if one.sizes else 0


def _obtain(job: _Job, one: Prospect, *, again: bool = True) -> _State:
    """Use the file that is here, or load it from the first of its places that gives it."""
    file, faults = one.file, list[ArchiveError]()
    if one.local is not None and one.place is not None:
        try:
            return _checked(one.place, one.local, file)
        except _LocalError as error:
            # Another place, or the archive itself for a damaged file of the cache, may have the bytes of the lock.
            faults.append(error)
    for place in file.places:
        try:
            if isinstance(place, str):
                return _load(job, place, one)
            if place != one.place:
                state = _checked(place, local_path(place, file.path), file)
                if file.sizes and not file.sizes[0] <= state.size <= file.sizes[1]:
                    raise _LocalError(f"{state.local} has {state.size} bytes, but the listing says about {file.sizes[1]}")
                return state
        except ArchiveError as error:
            # With a lock, files that have changed are no sign of a server that is down.
            if isinstance(error, web.UnreachableError) or not (file.sha256 or isinstance(error, web.NotThereError | _LocalError)):
                job.servers.failures[place] += 1
            if isinstance(error, web.NotThereError) and again and file.sha256 is None and place == file.places[0]:
                newer = _listed_again(job, file)
                if newer is not None and newer.path != file.path:
                    logger.warning("%s is not there any more; took %s, the newest of its date now", file.url, newer.path)
                    return _obtain(job, prospect(job.servers, newer, job.cache), again=False)
            faults.append(error)
            if place != file.places[-1]:
                logger.warning("%s; the next place is tried", str(error).rstrip("."))
    raise _joined(faults)


def _joined(faults: list[ArchiveError]) -> ArchiveError:
    text = "; ".join(dict.fromkeys(str(fault).rstrip(".") for fault in faults))
    local = all(isinstance(fault, _LocalError) for fault in faults)
    kind = _LocalError if local else web.UnreachableError if any(isinstance(f, web.UnreachableError) for f in faults) else ArchiveError
    return kind(text)


def _listed_again(job: _Job, file: ArchiveFile) -> ArchiveFile | None:
    """Take what the archive has for the date of a file that has gone since it was listed; its directory is listed once more."""
    place, directory = file.places[0], file.path.rpartition("/")[0]
    with job.relisting:
        if (place, directory) not in job.relisted:
            job.relisted[place, directory] = []
            # If it cannot be listed now, the file is simply not there.
            with contextlib.suppress(ArchiveError):
                job.relisted[place, directory] = list_place(job.servers.session, place, directory) or []
    return choose_again(file, job.relisted[place, directory])


def _load(job: _Job, place: str, one: Prospect) -> _State:
    """Download a file, or use what another process has downloaded meanwhile."""
    file, url, received = one.file, file_url(place, one.file.path), 0

    def on_bytes(size: int) -> None:
        nonlocal received
        received += size
        job.count(size)

    if job.servers.are_down_at(place):
        raise web.UnreachableError(f"{url} was not tried, because {place} failed for {MAX_FAILURES} other files")
    local, meanwhile = local_path(job.cache, file.path), list[_State]()

    def is_loaded() -> bool:
        """Whether another process has loaded it since this one looked."""
        if local != one.local and local.is_file() and is_current(job.servers, place, local, file):
            with contextlib.suppress(_LocalError):
                meanwhile.append(_checked(place, local, file))
        return bool(meanwhile)

    loaded = web.download(
        job.servers.session, url, local, get_product(file.product).format, file.sizes, file.sha256, on_bytes=on_bytes, is_loaded=is_loaded
    )
    if loaded is None:
        job.count(meanwhile[0].size, expected=_about(one))
        return meanwhile[0]
    size, digest = loaded
    # What was expected is the middle of a rounded size, and of a download that was begun anew some bytes came twice.
    job.count(size - received, expected=_about(one) - received)
    return _State(file, place, local, size, digest, _whole_second(local.stat().st_mtime))


def _checked(place: Place, local: Path, file: ArchiveFile) -> _State:
    """Size, sha256 and time of a local file, compared with the lock if the file comes from one."""
    try:
        with local.open("rb") as stream:
            status = os.fstat(stream.fileno())
            same = file.sha256 is not None and file.sizes == (status.st_size, status.st_size)
            if same and file.unchanged_if == _whole_second(status.st_mtime):
                return _State(file, place, local, status.st_size, str(file.sha256), file.unchanged_if)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise _LocalError(f"{local} is not there") from error
    except OSError as error:
        raise _LocalError(f"{local} could not be read ({error})") from error
    if file.sha256 is not None and digest != file.sha256:
        size = f"{status.st_size} bytes, the lock has {file.sizes[0]}" if file.sizes and status.st_size != file.sizes[0] else "same size"
        raise _LocalError(f"{local} has changed since the lock was made ({size}, other sha256)")
    return _State(file, place, local, status.st_size, digest, _whole_second(status.st_mtime))


def _whole_second(seconds: float) -> pd.Timestamp:
    return pd.Timestamp(int(seconds), unit="s")


def _each(job: _Job, prospects: list[Prospect], *, offline: bool) -> list[_State]:
    """Obtain all files, some at a time.

    One bad file does not stop the others; all faults are told in the end.
    """
    states: dict[int, _State] = {}
    faults: list[str] = []
    failures, locked = 0, any(one.file.sha256 for one in prospects)
    verb = "fetched" if any(one.local is None or isinstance(one.place, str) for one in prospects) else "checked"
    with threads(job.servers.session) as pool:
        futures = {pool.submit(_obtain, job, one): position for position, one in enumerate(prospects)}
        for future in as_completed(futures):
            try:
                states[futures[future]] = future.result()
            except ArchiveError as error:
                faults.append(str(error).rstrip("."))
                # With a lock all files that have changed are told; they cost one answer each.
                failures += isinstance(error, web.UnreachableError) or not (locked or isinstance(error, _LocalError))
                if failures == MAX_FAILURES:
                    break
            if not job.in_bytes:
                job.advance()
    size = sum(state.size for state in states.values())
    logger.info("%s %d of %d files, %.3g MB", verb, len(states), len(prospects), size / 1e6)
    if faults:
        raise ArchiveError(_summary(faults, len(states), len(prospects), locked=locked, offline=offline))
    return [states[position] for position in range(len(prospects))]


def _summary(faults: list[str], good: int, total: int, *, locked: bool, offline: bool) -> str:
    """All faults of a fetch, and what to do."""
    faults = sorted(faults)
    rest = total - good - len(faults)
    untried = f"; {rest} more were not waited for" if rest else ""
    lines = [f"{len(faults)} of {total} files could not be used{untried}:", *faults[:MAX_SHOWN]]
    if len(faults) > MAX_SHOWN:
        lines.append(f"and {len(faults) - MAX_SHOWN} more, which the log names")
        for fault in faults[MAX_SHOWN:]:
            logger.error("%s", fault)
    if locked:
        lines.append(
            "The lock asks for these very bytes: restore them, name another place that has them with `archive`, or fetch without the lock."
        )
    if offline:
        lines.append("offline is on, so no server was asked.")
    return "\n".join(lines)
