"""What an archive's folder holds: names and sizes, from a local folder or from a web server's index page."""

from __future__ import annotations

import datetime
import logging
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from ringdecay.errors import ArchiveError

logger = logging.getLogger(__name__)

# "2018-05-03 12:24  2.1M" (Apache), "03-May-2018 12:24  2200017" (nginx): the size follows the time.
_SIZE = re.compile(r"\d\d:\d\d(?::\d\d)?\s+(\d+(?:\.\d+)?)\s*([KMGT])?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d|\d\d-[A-Z][a-z]{2}-\d{4})\s+(\d\d:\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PORTS = {"http": 80, "https": 443}
_POWER = {None: 0, "K": 1, "M": 2, "G": 3, "T": 4}
# What the index pages of Apache, nginx, lighttpd and Python say of themselves.
_INDEX_WORDS = re.compile(r"index of|directory listing|parent directory", re.IGNORECASE)


@dataclass(frozen=True)
class Listed:
    """One file of a folder.

    Attributes
    ----------
    name : str
        File name, without any folder.
    sizes : tuple of int or None
        Smallest and largest number of bytes that the listing allows; equal if it is exact, None if it says nothing.
    modified : datetime or None
        Time of modification as the listing shows it: to the minute, in the zone of the server, which it does not name.
    """

    name: str
    sizes: tuple[int, int] | None
    modified: datetime.datetime | None = None


def list_folder(folder: Path) -> list[Listed] | None:
    """List the files of a local folder with their exact sizes; None if there is no such folder.

    Raises
    ------
    ArchiveError
        If the folder cannot be read.
    """
    if not folder.is_dir():
        return None
    try:
        return [Listed(path.name, (path.stat().st_size,) * 2) for path in sorted(folder.iterdir()) if path.is_file()]
    except OSError as error:
        raise ArchiveError(f"The folder {folder} could not be listed ({error}); check its permissions.") from error


def parse_index(page: str, url: str) -> list[Listed]:
    """Read the files from a web server's index page of the folder `url` (which ends with a slash).

    Links that lead out of that very folder are left out, whatever the page says: other hosts, other folders, names with "..".

    Raises
    ------
    ArchiveError
        If the page has no file and does not look like an index, such as a login page.
    """
    parser = _Links()
    parser.feed(page)
    parser.close()
    files: dict[str, Listed] = {}
    elsewhere: list[str] = []
    for href, text in parser.links:
        name = _name_in(href, url)
        if name is None:
            logger.debug("%s: link %r leads out of the folder and is left out", url, href)
            if re.search(r"\w\.\w+$", href):
                elsewhere.append(href)
        else:
            files[name] = Listed(name, _sizes(text), _time(text))
    if not files and not _INDEX_WORDS.search(page):
        raise ArchiveError(f"{url} answered with a page that is not a list of files; open it in a browser to see what it says.")
    if not files and elsewhere:
        logger.warning("%s lists no file: each of its %d leads out of the folder, such as %s", url, len(elsewhere), elsewhere[0])
    return list(files.values())


def is_plain_name(name: str) -> bool:
    """Whether a name can only mean a file of its own folder."""
    return bool(name) and name not in {".", ".."} and not set(name) & set("/\\\0")


def _name_in(href: str, url: str) -> str | None:
    """Name of the file that a link of the page `url` means, if it lies directly in that folder."""
    try:
        target, folder = urlsplit(urljoin(url, href.strip())), urlsplit(urljoin(url, "."))
        if _host(target) != _host(folder) or target.query:
            return None
    except ValueError:
        return None
    path, above = unquote(target.path), unquote(folder.path)
    name = path.removeprefix(above)
    return name if path.startswith(above) and is_plain_name(name) else None


def _host(url: SplitResult) -> tuple[str | None, int | None]:
    """Host and port, which is None for that of http and https: behind a proxy a server may not know which of them is spoken."""
    return url.hostname, url.port if url.port != _PORTS.get(url.scheme) else None


def _sizes(text: str) -> tuple[int, int] | None:
    found = _SIZE.search(text)
    if found is None:
        return None
    number, power = float(found[1]), _POWER[found[2]]
    if power == 0:
        return int(number), int(number)
    # One unit of the last digit shown either way, because servers round or cut, and K is 1000 or 1024.
    step = 0.1 if "." in found[1] else 1.0
    return int((number - step) * 1000**power), int((number + step) * 1024**power)


def _time(text: str) -> datetime.datetime | None:
    found = _TIME.search(text)
    if found is None:
        return None
    try:
        if found[1][:4].isdecimal():
            return datetime.datetime.fromisoformat(f"{found[1]} {found[2]}")
        # Not strptime's %b, which would read the months of the user's own language.
        day, month, year = found[1].split("-")
        hour, minute = map(int, found[2].split(":"))
        return datetime.datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute)
    except ValueError:
        return None


class _Links(HTMLParser):
    """Collects each link with the text that follows it up to the next link or the end of the line."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._after_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append((dict(attrs).get("href") or "", ""))
        # IIS writes time and size before the name.
        if tag in {"a", "br"}:
            self._after_link = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._after_link = True

    def handle_data(self, data: str) -> None:
        if self.links and self._after_link:
            href, text = self.links[-1]
            self.links[-1] = (href, text + " " + data)
