"""How bytes come over HTTP: few connections, patient retries, and nothing visible that was not verified.

Redirects are not followed, not even on the same host: the lock records where the bytes came from, and no answer leads a download
away from the archive that was named. The error names the address, which can be given as the archive instead.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import requests

from ringdecay import __version__
from ringdecay.archive import answers
from ringdecay.archive.asking import NotThereError, TransientError, UnreachableError, answer, pieces
from ringdecay.archive.connections import Session, connection_slot
from ringdecay.archive.listing import Listed, parse_index
from ringdecay.archive.partial import CHECKPOINT, Partial, partial_of
from ringdecay.archive.transfer import Wanted, load_once
from ringdecay.archive.verify import FileFormat
from ringdecay.errors import ArchiveError

__all__ = ["NotThereError", "Session", "UnreachableError", "download", "list_index", "open_session", "remote_state"]

logger = logging.getLogger(__name__)

# Seconds before the second, third and fourth attempt, each made up to half as long again by chance, so that clients that failed
# together do not come back together.
BACKOFF = (1.0, 4.0, 15.0)
# Seconds that a file or a listing may take besides its bytes: four attempts that each run into the timeouts, and the waits between.
PATIENCE = 300.0
# Bytes a second that must come on average beyond that. Four connections at this speed share a line of 64 kbit/s.
SLOWEST = 2000.0
# Bytes of a listing: a year of daily files in several versions takes some hundred kB.
LARGEST_LISTING = 16 << 20
# What stands behind the last file of a list that is whole.
_LIST_END = re.compile(rb"</(pre|table|ul|body|html)\s*>", re.IGNORECASE)

T = TypeVar("T")


@dataclass
class _Clock:
    """How long a file or a listing has taken, and may take for the bytes that have come."""

    started: float = field(default_factory=time.monotonic)
    received: int = 0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        return PATIENCE + self.received / SLOWEST - self.elapsed

    def count(self, size: int, url: str) -> None:
        """Count bytes that came; stop if they come too slowly."""
        self.received += size
        if self.left < 0:
            raise ArchiveError(
                f"{url} comes too slowly: {self.received} bytes in {self.elapsed:.0f} s, where {SLOWEST:g} bytes/s are the least; "
                f"try again later or name another archive."
            )


def open_session() -> Session:
    """Open a session; share it among at most `MAX_CONNECTIONS` threads, since each holds one connection."""
    session = Session()
    # Compressed on the way, a body would have another length than the file, and could not be resumed.
    session.headers.update({"User-Agent": f"ringdecay/{__version__}", "Accept-Encoding": "identity"})
    return session


def list_index(session: Session, url: str) -> list[Listed] | None:
    """List the files of a folder by its index page; None if the server says that there is no such folder (404).

    Raises
    ------
    UnreachableError
        If the server does not answer.
    ArchiveError
        If the server does not answer with an index.
    """
    clock = _Clock()

    def ask() -> list[Listed] | None:
        with answer(session, "GET", url) as response:
            page = bytearray()
            for piece in pieces(response):
                clock.count(len(piece), url)
                page += piece
                if len(page) > LARGEST_LISTING:
                    raise ArchiveError(f"{url} answers with a page of more than {LARGEST_LISTING} bytes, which no list of files is.")
            if not answers.has_length(response) and not _LIST_END.search(page, page.rfind(b"<a ")):
                raise TransientError(f"the list breaks off after {len(page)} bytes")
            return parse_index(_decoded(page, response), url)

    try:
        with connection_slot(session, url):
            clock.started = time.monotonic()  # waiting for others does not count
            return _retried(session, ask, url, clock)
    except NotThereError:
        return None


def remote_state(session: Session, url: str) -> tuple[int | None, float | None]:
    """Ask for the size in bytes and the time of modification (Unix seconds) of a file; None where the server does not say.

    Raises
    ------
    NotThereError
        If the server does not have the file.
    UnreachableError
        If the server does not answer.
    ArchiveError
        If the server answers with anything else.
    """

    def ask() -> tuple[int | None, float | None]:
        # Some servers serve files but do not answer this question.
        with answer(session, "HEAD", url, accepted=(200, 405, 501)) as response:
            if response.status_code != requests.codes.ok:
                return None, None
            return answers.content_length(response), answers.http_date(response.headers.get("Last-Modified"))

    with connection_slot(session, url):
        return _retried(session, ask, url, _Clock())


def download(
    session: Session,
    url: str,
    target: Path,
    file_format: FileFormat,
    sizes: tuple[int, int] | None,
    sha256: str | None,
    on_bytes: Callable[[int], None] | None = None,
    is_loaded: Callable[[], bool] | None = None,
) -> tuple[int, str] | None:
    """Load a file to `target`, which is there afterwards whole and verified, or as it was before.

    What came of an interrupted file waits beside the target under a hidden name, and the next call goes on from there if the server
    can vouch that the file is still the same.

    Parameters
    ----------
    session : Session
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
        Called with the number of bytes by which the part has grown: also those that an earlier call had left, and negative if some are
        thrown away. The sum is the size of the file in the end.
    is_loaded : callable, optional
        Called when no other process and no other thread loads this file any more: whether they have left nothing to load.

    Returns
    -------
    tuple or None
        Size in bytes and sha256; None if there was nothing to load.

    Raises
    ------
    NotThereError
        If the server does not have the file.
    UnreachableError
        If the server does not answer.
    ArchiveError
        If the file could not be loaded or written, or is not what was announced.
    """
    if target.is_dir():
        raise ArchiveError(f"{target} is a folder where the file of {url} should be; move it away")
    wanted, clock, told, best = Wanted(session, url, file_format, sizes, sha256), _Clock(), 0, 0

    def tell(size: int, came: int) -> None:
        nonlocal told
        if on_bytes is not None and size != told:
            on_bytes(size - told)
        told = size
        clock.count(came, url)

    def load(partial: Partial) -> tuple[int, str]:
        nonlocal best
        try:
            return load_once(wanted, partial, tell)
        except NotThereError:
            partial.discard()
            raise
        except TransientError as error:
            partial.stop()
            # A line that breaks every few MB still brings a big file, as long as the part lasts and grows.
            if partial.size >= best + CHECKPOINT:
                best, error.progress = partial.size, True
            raise

    try:
        with partial_of(target, session) as partial:
            if is_loaded is not None and is_loaded():
                return None
            with connection_slot(session, url):
                clock.started = time.monotonic()  # waiting for others does not count
                return _retried(session, lambda: load(partial), url, clock)
    except OSError as error:
        raise ArchiveError(f"{target} could not be written ({error}); make room or name another cache folder") from error


def _retried(session: Session, action: Callable[[], T], url: str, clock: _Clock) -> T:
    """Call `action`, again after a while if the fault may pass."""
    failures = 0
    while True:
        session.check()
        try:
            return action()
        except TransientError as error:
            session.check()  # which ends connections
            failures = 1 if error.progress else failures + 1
            kind = UnreachableError if error.unreachable else ArchiveError
            if failures > len(BACKOFF):
                raise kind(f"{url} could not be loaded in {failures} attempts ({error}); try again later.") from error
            wait = max(BACKOFF[failures - 1] * random.uniform(1.0, 1.5), error.wait or 0.0)
            if wait > clock.left:
                said = f", and asks to wait {error.wait:.0f} s" if error.wait else ""
                raise kind(
                    f"{url} could not be loaded in {clock.elapsed:.0f} s ({error}{said}); {max(clock.left, 0):.0f} s are left for it; "
                    f"try again later."
                ) from error
            logger.info("%s: %s; attempt %d follows in %.3g s", url, error, failures + 1, wait)
            session.wait(wait)


def _decoded(page: bytearray, response: requests.Response) -> str:
    """Text of a page; names that matter are ASCII, so that a wrong guess does no harm."""
    said = "charset" in response.headers.get("Content-Type", "").lower()
    try:
        return page.decode((said and response.encoding) or "utf-8", errors="replace")
    except LookupError:
        return page.decode("utf-8", errors="replace")
