"""The bytes of one file, or of the file that is packed in it, and the sentence for each way in which they can be wrong.

Values are read with `os.pread`, not through a memory map: a file that is cut while it is mapped kills the process (SIGBUS), whereas
a read comes back short and can be told. `pread` also needs no lock between threads and fills an array in place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ringdecay.cdf.signature import is_cdf, looks_like_html
from ringdecay.errors import FileError

AGAIN = "delete it and fetch it again"
# Descriptor records lie scattered and are small, so they are read by pages. Only so many pages are held that a hostile file cannot
# make the process hold all of it.
_PAGE = 8_192
_MOST_PAGES = 128


def damaged(path: Path, expected: str, found: str) -> FileError:
    """Make the error for a file whose structure contradicts itself."""
    return FileError(path, expected, f"damage: {found}", AGAIN)


def cut_short(path: Path, end: int, size: int) -> FileError:
    """Make the error for a file that is shorter than it says."""
    return FileError(path, f"{end} bytes as its header says", f"{size} bytes: the file is cut short", AGAIN)


@dataclass(frozen=True)
class Origin:
    """Which file was opened, so that it can be opened again and known to be the same.

    Attributes
    ----------
    path, place : Path
        The file as it was named, for messages, and where it is, for a process with another working directory.
    size, modified : int
        Its length in bytes, and the time of its last change in nanoseconds.
    """

    path: Path
    place: Path
    size: int
    modified: int


@dataclass
class Source:
    """Bytes to read by offset: of an open file, or of `content` where the file is compressed as a whole."""

    path: Path
    size: int
    descriptor: int
    content: bytes | bytearray | None = None
    # Of each variable the block that was unpacked last for a part of it, by its offset: the next piece begins with the rest.
    last_block: dict[str, tuple[int, memoryview]] = field(default_factory=dict)
    _pages: dict[int, bytes] = field(default_factory=dict)

    def peek(self, offset: int, count: int) -> bytes:
        """Give a few bytes, such as those of a descriptor record."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise self._outside(offset, count)
        if self.content is not None:
            return bytes(self.content[offset : offset + count])
        number, start = divmod(offset, _PAGE)
        if start + count > _PAGE:
            return self._pread(offset, count)
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= _MOST_PAGES:
                self._pages.clear()
            page = self._pages[number] = self._pread(number * _PAGE, min(_PAGE, self.size - number * _PAGE))
        return page[start : start + count]

    def piece(self, offset: int, count: int) -> bytes | bytearray:
        """Give the bytes of values that are unpacked next, and do not keep them."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise self._outside(offset, count)
        return self._pread(offset, count) if self.content is None else self.content[offset : offset + count]

    def fill(self, offset: int, target: memoryview) -> None:
        """Read into `target` (bytes) without a copy in between."""
        if offset < 0 or offset + len(target) > self.size:
            raise self._outside(offset, len(target))
        if self.content is not None:
            target[:] = memoryview(self.content)[offset : offset + len(target)]
            return
        done = 0
        while done < len(target):
            # One call reads at most about 2 GiB (Linux).
            got = os.preadv(self.descriptor, [target[done:]], offset + done)
            if got == 0:
                raise cut_short(self.path, offset + len(target), offset + done)
            done += got

    def _outside(self, offset: int, count: int) -> FileError:
        return damaged(self.path, f"{count} bytes at byte {offset}", f"the file ends at byte {self.size}")

    def _pread(self, offset: int, count: int) -> bytes:
        content = os.pread(self.descriptor, count, offset)
        if len(content) != count:
            raise cut_short(self.path, offset + count, offset + len(content))
        return content


def find(path: Path) -> Origin:
    """Find out which file `path` is."""
    try:
        if not path.is_file():
            raise FileError(path, "a CDF file", "no file", "check the path, or fetch it")
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return Origin(path, path.absolute(), state.st_size, state.st_mtime_ns)


@contextmanager
def opened(origin: Origin) -> Iterator[Source]:
    """Open a file for reading, if it is still the one that it was; whatever the system says becomes a FileError."""
    try:
        descriptor = os.open(origin.place, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise _unreadable(origin.path, error) from error
    try:
        state = os.fstat(descriptor)
        if (state.st_size, state.st_mtime_ns) != (origin.size, origin.modified):
            raise FileError(origin.path, "the file as it was when it was opened", "another one", "open it again")
        yield Source(origin.path, origin.size, descriptor)
    except OSError as error:
        raise _unreadable(origin.path, error) from error
    finally:
        os.close(descriptor)


def check_signature(source: Source) -> bytes:
    """Check that the file begins like a CDF and give its first eight bytes."""
    head = source.peek(0, min(512, source.size))
    if not is_cdf(head):
        kind = "an empty file" if not head else "a web page (HTML or XML)" if looks_like_html(head) else f"{head[:8]!r}"
        raise FileError(source.path, "a CDF file", kind, AGAIN)
    return head[:8]


def _unreadable(path: Path, error: OSError) -> FileError:
    return FileError(path, "a file that can be read", f"{error.strerror or error}", "check the path and the right to read it")
