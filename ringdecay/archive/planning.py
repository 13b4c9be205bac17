"""Which files of an archive a span needs, before any is loaded."""

from __future__ import annotations

import datetime
import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd
import platformdirs

from ringdecay.archive import web
from ringdecay.archive.listing import Listed
from ringdecay.archive.lock import OWN
from ringdecay.archive.periods import When, period_of_name, periods
from ringdecay.archive.places import Archive, Place, file_url, list_place, open_places
from ringdecay.archive.versions import newest
from ringdecay.errors import ArchiveError, InputError
from ringdecay.products import Product, get_product

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArchiveFile:
    """One file of an archive that a span needs.

    Attributes
    ----------
    product, probe : str
        Name of the product and the probe, which is empty for a product without one.
    date : pandas.Timestamp
        First instant of the day, month or year that the file holds, UTC.
    path : str
        Path below the root of the archive, with slashes.
    places : tuple of Path or str
        Folders and addresses where it can be, in the order in which they are tried; the first is the one that listed it.
    version : str
        Version in the name; empty if it carries none.
    sizes : tuple of int or None
        Smallest and largest size in bytes that the listing allows (servers round), None if it says nothing.
    modified : datetime or None
        Time of modification, to the minute and in the server's own zone, if a listing says it.
    sha256 : str or None
        What the bytes must hash to, if a lock says so.
    unchanged_if : Timestamp or None
        A file here with this time of modification (to the second) and the size of the lock is taken as the one that was hashed.
    """

    product: str
    probe: str
    date: pd.Timestamp
    path: str
    places: tuple[Place, ...]
    version: str
    sizes: tuple[int, int] | None
    modified: datetime.datetime | None = None
    sha256: str | None = None
    unchanged_if: pd.Timestamp | None = None

    @property
    def url(self) -> str:
        """Where the file was listed, as an http(s) or a file address."""
        return file_url(self.places[0], self.path)


@dataclass(frozen=True, eq=False)
class Plan:
    """What a fetch would use.

    Attributes
    ----------
    files : tuple of ArchiveFile
        In the order of their dates.
    missing : pandas.DatetimeIndex
        Periods of the span for which there is no file.
    superseded : tuple of str
        Names that were ignored because a newer version is there.
    undecided : tuple of str
        Names that were not taken although their version is that of the one taken.
    cache : Path
        Folder for files from servers.
    offline : bool
        Whether only the cache and folders were looked at.
    """

    files: tuple[ArchiveFile, ...]
    missing: pd.DatetimeIndex
    superseded: tuple[str, ...]
    undecided: tuple[str, ...]
    cache: Path
    offline: bool


@dataclass(frozen=True)
class _Choice:
    files: dict[pd.Timestamp, ArchiveFile]
    superseded: list[str]
    undecided: list[str]


def default_cache() -> Path:
    """Folder for downloaded files: the environment variable RINGDECAY_CACHE, else the platform's cache folder of the user."""
    given = os.environ.get("RINGDECAY_CACHE")
    return Path(given).expanduser().absolute() if given else platformdirs.user_cache_path("ringdecay")


def plan(
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
) -> Plan:
    """List what `fetch` would use, without loading any file.

    Each directory is listed once, and none if a lock is given. See `fetch` for the parameters and the errors.
    """
    description = get_product(product)
    _check_probe(description, probe)
    folder, places = _where(archive, cache, offline=offline)
    wanted = periods(start, stop, description.period)
    if lock is None:
        choice = _from_archive(description, probe or "", wanted, places, cache=folder if offline else None)
        source = "the archive"
    else:
        rows = lock[(lock["product"] == product) & (lock["probe"] == (probe or ""))]
        if len(lock) and not len(rows):
            held = sorted({f"{p} {b}".strip() for p, b in zip(lock["product"], lock["probe"], strict=True)})
            raise InputError(f"the lock has no file of {_what(product, probe)}, only of {', '.join(held)}; give the lock of such a run")
        choice = _Choice({file.date: file for file in _locked_files(rows, places, fresh=lock_is_fresh)}, [], [])
        source = "the lock"
    chosen = tuple(choice.files[date] for date in wanted if date in choice.files)
    missing = wanted.difference(pd.DatetimeIndex([file.date for file in chosen]).as_unit("ns"))
    what = _what(product, probe)
    if len(missing):
        days = some([f"{date:%Y-%m-%d}" for date in missing])
        why = "; offline is on, so only the cache and local folders were looked at" if offline else ""
        logger.warning("%s: %s has no file for %d of %d %ss: %s%s", what, source, len(missing), len(wanted), description.period, days, why)
    if choice.superseded:
        logger.info("%s: ignored %d superseded files: %s", what, len(choice.superseded), some(choice.superseded))
    return Plan(chosen, missing, tuple(choice.superseded), tuple(choice.undecided), folder, offline)


def plan_locked(lock: pd.DataFrame, archive: Archive, *, cache: str | PathLike[str] | None = None, offline: bool = False) -> Plan:
    """List what `fetch_locked` would use: all files of a lock but a user's own, which no archive has."""
    folder, places = _where(archive, cache, offline=offline)
    own = lock[lock["product"] == OWN]
    if len(own):
        logger.warning("the lock names %d files of the user's own, which are not fetched: %s", len(own), some(list(own["path"])))
    files = tuple(_locked_files(lock[lock["product"] != OWN], places))
    return Plan(files, pd.DatetimeIndex([], dtype="datetime64[ns]"), (), (), folder, offline)


def choose_again(file: ArchiveFile, listing: list[Listed]) -> ArchiveFile | None:
    """Take the newest file for the date of one that has gone, from a later listing of its directory; None if there is none."""
    directory = file.path.rpartition("/")[0]
    return _newest(get_product(file.product), file.probe, directory, listing, {file.date}, file.places).files.get(file.date)


def some(names: list[str], shown: int = 5) -> str:
    """Join a few names for a message and say how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _what(product: str, probe: str | None) -> str:
    return f"{product}, probe {probe}" if probe else product


def _where(archive: Archive, cache: str | PathLike[str] | None, *, offline: bool) -> tuple[Path, tuple[Place, ...]]:
    """Cache folder and places; offline the cache is a place like any folder, tried last."""
    folder = Path(cache).expanduser().absolute() if cache is not None else default_cache()
    places = open_places(archive, offline=offline)
    return folder, (*places, folder) if offline else places


def _check_probe(product: Product, probe: str | None) -> None:
    if product.probes and probe not in product.probes:
        raise InputError(f"probe {probe!r} of product {product.name!r} is not known; give one of {', '.join(product.probes)}")
    if not product.probes and probe is not None:
        raise InputError(f"product {product.name!r} has no probe, but {probe!r} was given; give None")


def _from_archive(product: Product, probe: str, wanted: pd.DatetimeIndex, places: tuple[Place, ...], *, cache: Path | None) -> _Choice:
    """Choose a file for each period: the newest of the first place that has one.

    A later place is asked only for what the earlier ones do not have, so that a folder with a few days of one's own can stand before
    a server with all. `cache` is given if offline; it may lack everything.
    """
    directories = {date: product.directory.format(probe=probe, year=f"{date:%Y}") for date in wanted}
    files: dict[pd.Timestamp, ArchiveFile] = {}
    superseded: set[str] = set()
    undecided: set[str] = set()
    listed: set[str] = set()
    faults: dict[str, list[ArchiveError]] = defaultdict(list)
    with web.open_session() as session:
        for place in places:
            left = {date for date in wanted if date not in files}
            asked = list(dict.fromkeys(directories[date] for date in wanted if date in left))
            listings, failed = _list_all(session, place, asked)
            for directory, fault in failed.items():
                faults[directory].append(fault)
            others = tuple(other for other in places if other != place)
            for directory, listing in listings.items():
                listed.add(directory)
                choice = _newest(product, probe, directory, listing, left, (place, *others))
                files |= choice.files
                superseded.update(choice.superseded)
                undecided.update(choice.undecided)
        _check_listed(listed, faults)
        if not listed and cache is None:
            # Asked only when nothing was found, to tell "no such years" from a wrong address.
            base = product.directory.split("/{year}")[0].format(probe=probe)
            if not any(list_place(session, place, base) is not None for place in places):
                raise ArchiveError(
                    f"The archive {' or '.join(map(str, places))} has no folder {base}; `archive` must be the folder that holds rbsp/ and "
                    "omni/ as SPDF's /pub/data does."
                )
    return _Choice(files, sorted(superseded), sorted(undecided))


def _list_all(session: web.Session, place: Place, directories: list[str]) -> tuple[dict[str, list[Listed]], dict[str, ArchiveError]]:
    """List each directory that a place has, once; and say which could not be listed and why."""
    listings: dict[str, list[Listed]] = {}
    faults: dict[str, ArchiveError] = {}
    for i, directory in enumerate(directories):
        try:
            listing = list_place(session, place, directory)
        except web.UnreachableError as error:
            # After several attempts; the place is not asked again.
            faults.update(dict.fromkeys(directories[i:], error))
            break
        except ArchiveError as error:
            faults[directory] = error
        else:
            if listing is not None:
                listings[directory] = listing
    return listings, faults


def _check_listed(listed: set[str], faults: dict[str, list[ArchiveError]]) -> None:
    """Refuse to call days missing that might be at a place which did not answer; another place's listing is enough."""
    problems = {str(fault): fault for directory, found in faults.items() if directory not in listed for fault in found}
    if not problems:
        for sentence in dict.fromkeys(str(fault) for found in faults.values() for fault in found):
            logger.warning("a place of the archive was passed over: %s", sentence)
        return
    first = next(iter(problems.values()))
    if len(problems) == 1 and not isinstance(first, web.UnreachableError):
        raise first
    raise type(first)(" ".join([*problems, "What is on this machine can be used with offline."])) from first


def _newest(
    product: Product, probe: str, directory: str, listing: Iterable[Listed], needed: set[pd.Timestamp], places: tuple[Place, ...]
) -> _Choice:
    """Choose the newest file of each needed period from the listing of a directory."""
    pattern = re.compile(product.filename.format(probe=probe), re.IGNORECASE)
    by_date: dict[pd.Timestamp, dict[str, tuple[str, Listed]]] = defaultdict(dict)
    for listed in listing:
        match = pattern.fullmatch(listed.name)
        if match is None:
            continue
        date = period_of_name(match["date"], product.period)
        if date is None:
            logger.info("%s/%s: the name has no possible date and is left out", directory, listed.name)
        elif date in needed:
            by_date[date][listed.name] = (match.groupdict().get("version") or "", listed)
    choice = _Choice({}, [], [])
    for date, names in by_date.items():
        chosen, equals, older = newest((name, version) for name, (version, _) in names.items())
        if equals:
            logger.warning(
                "%s: %s and %s have the same version for %s; took %s, the first in the alphabet",
                directory,
                chosen,
                some(equals),
                f"{date:%Y-%m-%d}",
                chosen,
            )
        choice.superseded.extend(older)
        choice.undecided.extend(equals)
        version, listed = names[chosen]
        path = f"{directory}/{chosen}"
        choice.files[date] = ArchiveFile(product.name, probe, date, path, places, version, listed.sizes, listed.modified)
    return choice


def _locked_files(rows: pd.DataFrame, places: tuple[Place, ...], *, fresh: bool = False) -> list[ArchiveFile]:
    files = []
    for row in rows.to_dict("records"):
        path, size = str(row["path"]), int(row["size"])
        product, probe = get_product(str(row["product"])), str(row["probe"])
        file_url(places[0], path)  # refuses a path that leads out
        files.append(
            ArchiveFile(
                product.name,
                probe,
                pd.Timestamp(row["date"]),
                path,
                places,
                str(row["version"]),
                (size, size),
                sha256=str(row["sha256"]),
                unchanged_if=pd.Timestamp(row["modified"]) if fresh else None,
            )
        )
    return files
