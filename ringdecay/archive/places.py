"""The places of an archive: folders and web addresses that hold the same files, in the order in which they are tried.

Every local path and every address of a file is made here, so that nothing that a listing or a lock says leads out of a place.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from urllib.parse import quote, urlsplit

from ringdecay.archive import web
from ringdecay.archive.listing import Listed, is_plain_name, list_folder
from ringdecay.errors import ArchiveError, InputError

logger = logging.getLogger(__name__)

# With so many files failed a server is taken as down.
MAX_FAILURES = 5

# A folder, or an http(s) address that ends with a slash.
Place = Path | str
Archive = str | PathLike[str] | Sequence[str | PathLike[str]]


@dataclass(frozen=True)
class Servers:
    """A session, and how often each place failed; shared by the threads of one fetch.

    Attributes
    ----------
    session : web.Session
        From `web.open_session`.
    failures : Counter
        Files that a place did not give, after all attempts, though it should have them.
    """

    session: web.Session
    failures: Counter[Place] = field(default_factory=Counter)

    def are_down_at(self, place: Place) -> bool:
        """Whether a place has failed so often that it is not worth asking."""
        return self.failures[place] >= MAX_FAILURES


def open_places(archive: Archive, *, offline: bool = False) -> tuple[Place, ...]:
    """Places of an archive, in the order given: a Path for a folder, an address that ends with a slash for a server.

    Parameters
    ----------
    archive : str, path-like or a sequence of them
        Folders and http(s) addresses laid out like SPDF's /pub/data.
    offline : bool
        Leave the servers out.

    Raises
    ------
    InputError
        If one is neither a folder's path nor an http(s) address.
    ArchiveError
        If none of the folders exists and there is no server. One folder among several that is not there is only warned of: disks
        are not always mounted.
    """
    given = list(archive) if isinstance(archive, Sequence) and not isinstance(archive, str) else [archive]
    if not given:
        raise InputError("archive is an empty list; name a folder or an http(s) URL")
    places = [_open_place(one) for one in given]
    gone = [place for place in places if isinstance(place, Path) and not place.is_dir()]
    if gone and len(gone) == len(places):
        folders = " and ".join(map(str, gone))
        verb = "does" if len(gone) == 1 else "do"
        raise ArchiveError(f"The archive folder {folders} {verb} not exist; create it, mount it or name another with `archive`.")
    for place in gone:
        logger.warning("the archive folder %s does not exist; the other places are used", place)
    kept = [place for place in places if place not in gone and (isinstance(place, Path) or not offline)]
    return tuple(dict.fromkeys(kept))


def _open_place(given: str | PathLike[str]) -> Place:
    if not isinstance(given, str | PathLike) or not str(given).strip():
        raise InputError(f"archive {given!r} is neither a folder nor an http(s) URL")
    text = str(given)
    if not isinstance(given, str) or "://" not in text:
        return Path(text).expanduser().absolute()
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise InputError(f"archive {text!r} is neither a folder nor a plain http(s) URL such as https://spdf.gsfc.nasa.gov/pub/data")
    if "@" in parts.netloc:
        raise InputError("archive has a user name in its URL, which would be written into the lock; put it into ~/.netrc")
    return text.rstrip("/") + "/"


def list_place(session: web.Session, place: Place, directory: str) -> list[Listed] | None:
    """List a directory of a place; None if the place does not have it.

    Raises
    ------
    ArchiveError
        If the place does not answer with a listing; `web.UnreachableError` if it does not answer at all.
    """
    if isinstance(place, Path):
        return list_folder(local_path(place, directory))
    return web.list_index(session, file_url(place, directory) + "/")


def local_path(root: Path, path: str) -> Path:
    """Path of an archive's file below a local folder.

    Only the name is judged, not what lies on the disk: a symbolic link in the folder was put there by its owner, to spread an archive
    over several disks for example, and is followed. No listing and no lock can make one.

    Raises
    ------
    InputError
        If `path` is absolute, has "..", "." or empty parts or a backslash, and so could lead out of the folder.
    """
    return root / _confined(path)


def file_url(place: Place, path: str) -> str:
    """Address of an archive's file at a place: http(s) or file.

    Raises
    ------
    InputError
        As `local_path`.
    """
    return (place / _confined(path)).as_uri() if isinstance(place, Path) else place + quote(_confined(path))


def _confined(path: str) -> str:
    if not all(map(is_plain_name, path.split("/"))):
        raise InputError(f"{path!r} is not below the root of an archive; the listing or the lock that names it cannot be trusted")
    return path
