"""Which files of a plan are on this machine already, and how many bytes are still to come."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from ringdecay.archive import web
from ringdecay.archive.connections import threads
from ringdecay.archive.places import Place, Servers, file_url, local_path
from ringdecay.archive.planning import ArchiveFile, Plan
from ringdecay.errors import ArchiveError

# A listing shows the time in the zone of the server, which differs from UTC by quarters of an hour.
_ZONE_STEP, _ZONE_MOST = datetime.timedelta(minutes=15), datetime.timedelta(hours=14)


@dataclass(frozen=True)
class Prospect:
    """One file of a plan.

    Attributes
    ----------
    file : ArchiveFile
        Which.
    local : Path or None
        Where it is on this machine; None if it has to be loaded.
    place : Path, str or None
        Which place of the file that copy stands for.
    sizes : tuple of int or None
        Smallest and largest size in bytes; equal if it is exact, None if neither the listing nor the server says it.
    """

    file: ArchiveFile
    local: Path | None
    place: Place | None
    sizes: tuple[int, int] | None


def preview(plan: Plan) -> list[Prospect]:
    """Tell of every file of a plan whether it is here and how large it is, without loading any.

    A server is asked for a file only where its listing leaves open whether the one that is here is current, or says no size.
    """
    with web.open_session() as session:
        return inspect(Servers(session), plan)


def inspect(servers: Servers, plan: Plan) -> list[Prospect]:
    """As `preview`, over servers that are open."""
    with threads(servers.session) as pool:
        return list(pool.map(lambda file: prospect(servers, file, plan.cache), plan.files))


def prospect(servers: Servers, file: ArchiveFile, cache: Path) -> Prospect:
    """Look for one file in the folders among its places and in the cache."""
    cache_seen = False
    for place in file.places:
        if isinstance(place, Path):
            local = local_path(place, file.path)
            found = local.is_file() and (place == file.places[0] or _fits(local, file))
        else:
            local = local_path(cache, file.path)
            found = not cache_seen and local.is_file() and is_current(servers, place, local, file)
            cache_seen = True
        if found:
            return Prospect(file, local, place, (local.stat().st_size,) * 2)
    state = None if file.sizes else _remote_state(servers, file.places[0], file)
    return Prospect(file, None, None, file.sizes if state is None or state[0] is None else (state[0], state[0]))


def is_current(servers: Servers, place: str, local: Path, file: ArchiveFile) -> bool:
    """Whether a file of the cache is still the archive's, as far as that can be known without loading it.

    A file in the cache was verified when it came. A name with a version stays what it is, so its size decides, and where the listing
    rounds that, the time of modification to the minute; where that leaves it open the server is asked, and if it has no answer, such
    as one that refuses HEAD, the file is taken. A name without a version is replaced in place, and the server is asked for both.
    With a lock the hash decides, when the file is used.
    """
    here = local.stat()
    if file.sha256 is not None:
        return file.sizes is None or here.st_size == file.sizes[0]
    if file.version and file.sizes is not None:
        low, high = file.sizes
        if low == high or not low <= here.st_size <= high:
            return low <= here.st_size <= high
        if file.modified is not None and _same_minute(here.st_mtime, file.modified):
            return True
    state = _remote_state(servers, place, file)
    if state is None:
        return False
    size, modified = state
    if file.version:
        return size is None or here.st_size == size
    # A table of fixed width keeps its size when it is replaced.
    return here.st_size == size and here.st_mtime == modified


def _remote_state(servers: Servers, place: Place, file: ArchiveFile) -> tuple[int | None, float | None] | None:
    """Size and time of a file at a place, each None if that does not say; None if the file is not there.

    What is wrong there is told when the file is loaded.
    """
    if isinstance(place, Path) or servers.are_down_at(place):
        return None, None
    try:
        return web.remote_state(servers.session, file_url(place, file.path))
    except web.NotThereError:
        return None
    except web.UnreachableError:
        servers.failures[place] += 1
    except ArchiveError:
        pass
    return None, None


def _fits(local: Path, file: ArchiveFile) -> bool:
    """Whether a file in a folder that did not list it can be taken for the one that was listed: its name must say which it is."""
    low, high = file.sizes or (0, local.stat().st_size)
    return bool(file.sha256 or file.version) and low <= local.stat().st_size <= high


def _same_minute(modified: float, shown: datetime.datetime) -> bool:
    """Whether a time in Unix seconds is the one that a listing shows, in whatever zone."""
    exact = datetime.datetime.fromtimestamp(modified, datetime.UTC).replace(second=0, microsecond=0, tzinfo=None)
    return abs(exact - shown) <= _ZONE_MOST and (exact - shown) % _ZONE_STEP == datetime.timedelta()
