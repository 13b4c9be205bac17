"""Which files of an archive a span needs, before any is loaded."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import pandas as pd

from ringdecay.archive import web
from ringdecay.archive.listing import Listed, is_plain_name, list_folder
from ringdecay.archive.periods import When, period_of_name, periods
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
    url : str
        Where the file is: http(s) or file.
    version : str
        Version in the name; empty if it carries none.
    sizes : tuple of int or None
        Smallest and largest size in bytes that the listing allows (servers round), None if it says nothing.
    sha256 : str or None
        What the bytes must hash to, if a lock says so.
    """

    product: str
    probe: str
    date: pd.Timestamp
    path: str
    url: str
    version: str
    sizes: tuple[int, int] | None
    sha256: str | None = None


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
    """

    files: tuple[ArchiveFile, ...]
    missing: pd.DatetimeIndex
    superseded: tuple[str, ...]


def plan(
    product: str, probe: str | None, start: When, stop: When, archive: str | PathLike[str], *, lock: pd.DataFrame | None = None
) -> Plan:
    """List what `fetch` would use, without loading any file.

    Each folder is listed once, and none if a lock is given. See `fetch` for the parameters and the errors.
    """
    description = get_product(product)
    _check_probe(description, probe)
    root = open_root(archive)
    wanted = periods(start, stop, description.period)
    if lock is None:
        files, superseded = _from_archive(description, probe or "", wanted, root)
        source = "the archive"
    else:
        files, superseded = _from_lock(description, probe or "", lock, root), []
        source = "the lock"
    chosen = tuple(files[date] for date in wanted if date in files)
    missing = wanted.difference(pd.DatetimeIndex([file.date for file in chosen]).as_unit("ns"))
    what = f"{product}, probe {probe}" if probe else product
    if len(missing):
        days = [f"{date:%Y-%m-%d}" for date in missing]
        logger.warning("%s: %s has no file for %d of %d %ss: %s", what, source, len(missing), len(wanted), description.period, some(days))
    if superseded:
        logger.info("%s: ignored %d superseded files: %s", what, len(superseded), some(superseded))
    return Plan(chosen, missing, tuple(superseded))


def open_root(archive: str | PathLike[str]) -> Path | str:
    """Root of an archive: a Path for an existing folder, or a URL that ends with a slash.

    Raises
    ------
    InputError
        If `archive` is neither a folder's path nor an http(s) URL.
    ArchiveError
        If the folder does not exist.
    """
    if not isinstance(archive, str | PathLike) or not str(archive).strip():
        raise InputError(f"archive {archive!r} is neither a folder nor an http(s) URL")
    text = str(archive)
    if isinstance(archive, str) and "://" in text:
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise InputError(f"archive {text!r} is neither a folder nor a plain http(s) URL such as https://spdf.gsfc.nasa.gov/pub/data")
        if "@" in parts.netloc:
            raise InputError("archive has a user name in its URL, which would be written into the lock; put it into ~/.netrc")
        return text.rstrip("/") + "/"
    root = Path(text).expanduser().absolute()
    if not root.is_dir():
        raise ArchiveError(f"The archive folder {root} does not exist; create it, mount it or name another with `archive`.")
    return root


def some(names: list[str], shown: int = 5) -> str:
    """Join a few names for a message and say how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _check_probe(product: Product, probe: str | None) -> None:
    if product.probes and probe not in product.probes:
        raise InputError(f"probe {probe!r} of product {product.name!r} is not known; give one of {', '.join(product.probes)}")
    if not product.probes and probe is not None:
        raise InputError(f"product {product.name!r} has no probe, but {probe!r} was given; give None")


def _from_archive(
    product: Product, probe: str, wanted: pd.DatetimeIndex, root: Path | str
) -> tuple[dict[pd.Timestamp, ArchiveFile], list[str]]:
    """List the folders of the wanted periods and choose a file for each."""
    pattern = re.compile(product.filename.format(probe=probe), re.IGNORECASE)
    directories = dict.fromkeys(product.directory.format(probe=probe, year=f"{date:%Y}") for date in wanted)
    listings = _list_all(product, probe, root, list(directories))
    needed = set(wanted)
    files: dict[pd.Timestamp, ArchiveFile] = {}
    superseded: list[str] = []
    for directory, listing in listings.items():
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
        for date, names in by_date.items():
            chosen, equals, older = newest((name, version) for name, (version, _) in names.items())
            if equals:
                logger.warning(
                    "%s: %s and %s have the same version for %s; took %s, the first in the alphabet",
                    directory, chosen, some(equals), f"{date:%Y-%m-%d}", chosen,
                )  # fmt: skip
            superseded += older
            version, listed = names[chosen]
            path = f"{directory}/{chosen}"
            files[date] = ArchiveFile(product.name, probe, date, path, _url(root, path), version, listed.sizes)
    return files, sorted(superseded)


def _list_all(product: Product, probe: str, root: Path | str, directories: list[str]) -> dict[str, list[Listed]]:
    """List each directory once; one that is not there has no files, but the product's own folder must be there."""
    base = product.directory.split("/{year}")[0].format(probe=probe)
    if isinstance(root, Path):
        found = {directory: list_folder(root / directory) for directory in directories}
        there = (root / base).is_dir()
    else:
        with web.open_session() as session:
            found = {directory: web.list_index(session, root + directory + "/") for directory in directories}
            # Asked only when nothing was found, to tell "no such years" from a wrong address.
            there = any(listing is not None for listing in found.values())
            there = there or (base not in directories and web.list_index(session, root + base + "/") is not None)
    if not there:
        raise ArchiveError(
            f"The archive {root} has no folder {base}; `archive` must be the folder that holds rbsp/ and omni/ as SPDF's /pub/data does."
        )
    return {directory: listing or [] for directory, listing in found.items()}


def _from_lock(product: Product, probe: str, lock: pd.DataFrame, root: Path | str) -> dict[pd.Timestamp, ArchiveFile]:
    rows = lock[(lock["product"] == product.name) & (lock["probe"] == probe)]
    files = {}
    for row in rows.to_dict("records"):
        path, date, size = str(row["path"]), pd.Timestamp(row["date"]), int(row["size"])
        if not all(map(is_plain_name, path.split("/"))) or PurePosixPath(path).is_absolute():
            raise InputError(f"the lock names the path {path!r}, which is not below the root of an archive")
        files[date] = ArchiveFile(
            product.name, probe, date, path, _url(root, path), str(row["version"]), (size, size), str(row["sha256"])
        )  # fmt: skip
    return files


def _url(root: Path | str, path: str) -> str:
    return (root / path).as_uri() if isinstance(root, Path) else root + quote(path)
