"""What has come of a file so far: kept beside its place under a hidden name, so that a later attempt can go on from there."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import filelock

from ringdecay.archive.connections import Session, StoppedError

logger = logging.getLogger(__name__)

# Bytes between two lines of the journal: what a kill loses at most. At 2 MB/s this is half a second.
CHECKPOINT = 1 << 20
# Bytes at the begin of a file that are looked at to tell what it is.
HEAD = 512
# What file systems without locks say, such as some of clusters.
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class Origin:
    """Of which state of which file the bytes are.

    Attributes
    ----------
    url : str
        Where they came from.
    etag : str
        Strong entity tag; empty if there is none.
    modified : str
        The Last-Modified header; empty if there is none.
    size : int
        Bytes of the whole file.
    """

    url: str
    etag: str
    modified: str
    size: int

    @property
    def validator(self) -> str:
        """What goes into If-Range."""
        return self.etag or self.modified


class Partial:
    """The hidden part of one download, and the journal that says which of its bytes can be trusted.

    The first line of the journal is the origin; each further one a number of bytes with the sha256 of all up to there. Only bytes
    under such a line are gone on with, so neither a kill, a power cut nor another program leaves a wrong byte in a resumed file.

    Attributes
    ----------
    size : int
        Bytes there.
    head : bytes
        The first of them.
    """

    def __init__(self, target: Path, own: str = "") -> None:
        self.target, self._waits = target, not own
        self.path = target.with_name(f".{target.name}{own}.part")
        self.journal = target.with_name(f".{target.name}{own}.part.journal")
        self._out: FileIO | None = None
        self._origin: Origin | None = None
        self._forget()

    def _forget(self) -> None:
        self.size, self.head, self._digest = 0, b"", hashlib.sha256()
        # Bytes that the journal speaks for, and bytes of the journal itself that are true.
        self._marked, self._trusted = 0, 0

    @property
    def sha256(self) -> str:
        """Of the bytes there."""
        return self._digest.hexdigest()

    def recall(self, url: str) -> Origin | None:
        """Find what an earlier attempt left of this very URL, this process's or another's; None if there is nothing to go on with."""
        self._close()
        self._forget()
        try:
            first, *lines = self.journal.read_bytes().splitlines(keepends=True)
            self._trusted = len(first)
            origin = Origin(**json.loads(first))
            if origin.url != url or not origin.validator:
                return None
            with self.path.open("rb") as stream:
                there = os.fstat(stream.fileno()).st_size
                for line in lines:
                    length, _, said = line.partition(b" ")
                    # At the whole size there is nothing left to ask for, and asking is how one learns that the file is still the same.
                    if not self.size < int(length) <= min(there, origin.size - 1) or not self._take(stream, int(length), said):
                        break
                    self._trusted += len(line)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            logger.debug("%s is damaged (%s) and not used", self.journal, error)
            return None
        return origin if self.size else None

    def _take(self, stream: BinaryIO, length: int, said: bytes) -> bool:
        """Read on to `length`; whether the bytes are those of the journal."""
        digest, head = self._digest.copy(), self.head
        left = length - self.size
        while left and (block := stream.read(min(left, CHECKPOINT))):
            digest.update(block)
            head += block[: HEAD - len(head)]
            left -= len(block)
        if left or f"{digest.hexdigest()}\n".encode() != said:
            return False
        self.size, self.head, self._digest, self._marked = length, head, digest, length
        return True

    def begin(self, origin: Origin | None) -> None:
        """Start with no byte; without an origin nothing is left for a later attempt."""
        self._close()
        self._forget()
        self._origin = origin if self._waits else None
        # First the journal, so that it never speaks of other bytes than those there.
        self.journal.unlink(missing_ok=True)
        self._out = self._open("wb")
        if self._origin is not None:
            self.journal.write_bytes(json.dumps(asdict(self._origin)).encode() + b"\n")

    def go_on(self, origin: Origin) -> None:
        """Start behind the bytes that `recall` found."""
        self._origin = origin
        # Only shortened, so that a kill at any moment leaves what was there.
        os.truncate(self.journal, self._trusted)
        self._out = self._open("r+b")
        self._out.truncate(self.size)
        self._out.seek(self.size)

    def _open(self, mode: str) -> FileIO:
        # Not buffered, so that a full disk is met where the bytes are written and nowhere else.
        return FileIO(self.path, mode)

    def append(self, piece: bytes) -> None:
        """Write on."""
        assert self._out is not None
        rest = memoryview(piece)
        while rest:
            rest = rest[self._out.write(rest) :]
        self._digest.update(piece)
        self.size += len(piece)
        self.head += piece[: HEAD - len(self.head)]
        if self.size - self._marked >= CHECKPOINT:
            self._mark()

    def _mark(self) -> None:
        if self._origin is not None and self.size > self._marked:
            with self.journal.open("ab") as journal:
                journal.write(f"{self.size} {self.sha256}\n".encode())
        self._marked = self.size

    def stop(self) -> None:
        """Keep what has come for a later attempt, or remove it where that could not go on."""
        if self._out is None:
            return
        if self._origin is None:
            self.discard()
            return
        # On a full disk the last line may not fit; then less is gone on with.
        with contextlib.suppress(OSError):
            self._mark()
        self._close()

    def discard(self) -> None:
        """Remove everything."""
        self._close()
        self.journal.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self._forget()

    def finish(self, modified: float | None) -> None:
        """Let the part become the file, with this time of modification (Unix seconds)."""
        assert self._out is not None
        # Without it a power cut could leave the name with an empty file; measured: 8 ms for 5 MB, 35 ms for 50 MB.
        os.fsync(self._out.fileno())
        self._close()
        if modified is not None:
            os.utime(self.path, (modified, modified))
        self.journal.unlink(missing_ok=True)
        self.path.replace(self.target)

    def _close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None


@contextmanager
def partial_of(target: Path, session: Session) -> Iterator[Partial]:
    """Hold the part of `target` alone, whatever other processes do; at the end it has become the file, waits for later or is gone.

    On a file system without locks the part has a name of its own and does not wait for later.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name}.part.lock")
    lock = _locked(path, target.name, session)
    try:
        partial = Partial(target) if lock else Partial(target, f".{secrets.token_hex(4)}")
        try:
            yield partial
        finally:
            partial.stop()
    finally:
        if lock is not None:
            # Removed while it is held, which a waiting process notices. Windows does not remove what is open.
            with contextlib.suppress(PermissionError):
                path.unlink(missing_ok=True)
            lock.release()


def _locked(path: Path, name: str, session: Session) -> filelock.BaseFileLock | None:
    # A lock that is only a file would outlive a killed process.
    lock = filelock.FileLock(path, fallback_to_soft=False)
    try:
        return lock.acquire(timeout=0).lock
    except filelock.Timeout:
        logger.info("%s: another process loads this file; waiting for it", name)
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        logger.debug("%s: no locks here (%s)", path, error)
        path.unlink(missing_ok=True)
        return None
    try:
        return lock.acquire(poll_interval=0.1, cancel_check=session.stopped.is_set).lock
    except filelock.Timeout:
        raise StoppedError from None
