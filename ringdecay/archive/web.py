"""How bytes come over HTTP: few connections, a few retries, and nothing kept that was not verified.

Redirects are not followed, so that no answer leads a download away from the archive that was named.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, TypeVar

import requests

from ringdecay import __version__
from ringdecay.archive.listing import Listed, parse_index
from ringdecay.cdf.signature import is_cdf, looks_like_html
from ringdecay.errors import ArchiveError
from ringdecay.store import written_whole

logger = logging.getLogger(__name__)

# Data centres block clients that open many connections or retry at once.
MAX_CONNECTIONS = 4
# Seconds before the second, third and fourth attempt.
BACKOFF = (1.0, 4.0, 15.0)
# Seconds to connect and between two pieces of an answer.
TIMEOUT = (10.0, 60.0)
_CHUNK = 1 << 18

# Bytes at the begin of a file that are looked at.
_HEAD = 64

T = TypeVar("T")


class UnreachableError(ArchiveError):
    """A server did not answer, or only with errors, in all attempts."""


class NotThereError(ArchiveError):
    """A server says that it does not have a file, or has it no more."""


class _TransientError(Exception):
    """An answer that may be better next time."""


def open_session() -> requests.Session:
    """Open a session; share it among at most `MAX_CONNECTIONS` threads, since each holds one connection."""
    session = requests.Session()
    # Compressed on the way, a body would have another length than the file.
    session.headers.update({"User-Agent": f"ringdecay/{__version__}", "Accept-Encoding": "identity"})
    return session


def list_index(session: requests.Session, url: str) -> list[Listed] | None:
    """List the files of a folder by its index page; None if the server says that there is no such folder (404).

    Raises
    ------
    ArchiveError
        If the server does not answer with an index.
    """

    def ask() -> list[Listed] | None:
        with session.get(url, timeout=TIMEOUT, allow_redirects=False) as response:
            if response.status_code == requests.codes.not_found:
                return None
            _check_status(response, url)
            return parse_index(response.text, url)

    return _retried(ask, url)


def remote_state(session: requests.Session, url: str) -> tuple[int | None, float | None]:
    """Ask for the size in bytes and the time of modification (Unix seconds) of a file; None where the server does not say.

    Raises
    ------
    ArchiveError
        If the server does not have the file or does not answer.
    """

    def ask() -> tuple[int | None, float | None]:
        with session.head(url, timeout=TIMEOUT, allow_redirects=False) as response:
            _check_status(response, url)
            return _content_length(response), _last_modified(response)

    return _retried(ask, url)


def download(
    session: requests.Session,
    url: str,
    target: Path,
    file_format: Literal["cdf", "text"],
    sizes: tuple[int, int] | None,
    sha256: str | None,
    on_bytes: Callable[[int], None] | None = None,
) -> tuple[int, str]:
    """Load a file to `target`, which is there afterwards whole and verified, or as it was before.

    Parameters
    ----------
    session : requests.Session
        From `open_session`.
    url, target : str, Path
        From where to where; the time of modification is taken over.
    file_format : {"cdf", "text"}
        What the file must begin like.
    sizes : tuple of int or None
        Smallest and largest size allowed.
    sha256 : str or None
        What the bytes must hash to, if known.
    on_bytes : callable, optional
        Called with the number of bytes of each piece that came.

    Returns
    -------
    tuple
        Size in bytes and sha256.

    Raises
    ------
    ArchiveError
        If the file could not be loaded, or is not what was announced.
    """

    def load() -> tuple[int, str]:
        with session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as response:
            _check_status(response, url)
            with written_whole(target) as beside:
                size, digest, head = _save(response, beside, on_bytes)
                # urllib3 2 checks this too, urllib3 1 does not.
                announced = _content_length(response)
                if announced is not None and size != announced:
                    raise _TransientError(f"{size} bytes came of {announced}")
                _check_head(head, file_format, url)
                if sha256 is not None and digest != sha256:
                    raise ArchiveError(f"{url} has changed since the lock was made: its sha256 is {digest}, the lock has {sha256}")
                if sizes is not None and not sizes[0] <= size <= sizes[1]:
                    raise ArchiveError(f"{url} has {size} bytes, but the archive's listing says about {sizes[1]}; try again later")
                modified = _last_modified(response)
                if modified is not None:
                    os.utime(beside, (modified, modified))
            return size, digest

    return _retried(load, url)


def _save(response: requests.Response, path: Path, on_bytes: Callable[[int], None] | None) -> tuple[int, str, bytes]:
    """Write the body to `path`; give its size, sha256 and first bytes."""
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("wb") as out:
        for chunk in response.iter_content(_CHUNK):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            head += chunk[: _HEAD - len(head)]
            if on_bytes is not None:
                on_bytes(len(chunk))
    return size, digest.hexdigest(), head


def _retried(action: Callable[[], T], url: str) -> T:
    """Call `action`, again after a while if the fault may pass."""
    for attempt, wait in enumerate((*BACKOFF, None), start=1):
        try:
            return action()
        except (_TransientError, requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            if wait is None:
                raise UnreachableError(f"{url} could not be loaded in {attempt} attempts ({error}); try again later.") from error
            logger.info("%s: %s; attempt %d follows in %g s", url, error, attempt + 1, wait)
            time.sleep(wait)
        except requests.RequestException as error:
            raise ArchiveError(f"{url} could not be loaded ({error}).") from error
    raise AssertionError  # the last round returns or raises


def _check_status(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status == requests.codes.too_many_requests or status >= 500:
        raise _TransientError(f"the server answered with status {status}")
    if 300 <= status < 400:
        where = response.headers.get("Location", "nowhere")
        raise ArchiveError(f"{url} redirects to {where}, which is not followed; if you trust that address, name it as the archive.")
    if status in {requests.codes.not_found, requests.codes.gone}:
        raise NotThereError(f"{url}: the server answered with status {status} ({response.reason}); check the address of the archive.")
    if status != requests.codes.ok:
        raise ArchiveError(f"{url}: the server answered with status {status} ({response.reason}); check the address of the archive.")


def _check_head(head: bytes, file_format: Literal["cdf", "text"], url: str) -> None:
    """Check by its first bytes that a file is what its name says."""
    if looks_like_html(head):
        raise ArchiveError(f"{url} answered with a web page where a {file_format} file was expected; open it in a browser to see why.")
    if file_format == "cdf" and not is_cdf(head):
        raise ArchiveError(f"{url} is not a CDF file: it begins with {head[:8].hex(' ') or 'nothing'}; try again later.")
    if not head:
        raise ArchiveError(f"{url} is empty; try again later.")


def _content_length(response: requests.Response) -> int | None:
    """Announced size of the file; of an encoded body the length says nothing of the file."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and response.headers.get("Content-Encoding", "identity") == "identity" else None


def _last_modified(response: requests.Response) -> float | None:
    try:
        return parsedate_to_datetime(response.headers["Last-Modified"]).timestamp()
    except (KeyError, ValueError):
        return None
