"""Whether what came is the file that was wanted: its size, its first bytes, its hash, and what a CDF says of its own length."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ringdecay.archive.partial import Partial
from ringdecay.cdf.signature import COMPRESSED, VERSION_3, is_cdf, looks_like_html
from ringdecay.errors import ArchiveError

FileFormat = Literal["cdf", "text"]


class WrongFileError(ArchiveError):
    """What came whole is not the file that was wanted."""


def verify(partial: Partial, url: str, file_format: FileFormat, sizes: tuple[int, int] | None, sha256: str | None) -> None:
    """Check a part that should be the whole file.

    Raises
    ------
    WrongFileError
        If it is not.
    """
    head = partial.head
    if looks_like_html(head):
        raise WrongFileError(f"{url} answered with a web page where a {file_format} file was expected; open it in a browser to see why.")
    if file_format == "cdf" and not is_cdf(head):
        raise WrongFileError(f"{url} is not a CDF file: it begins with {head[:8].hex(' ') or 'nothing'}; try again later.")
    if not head:
        raise WrongFileError(f"{url} is empty; try again later.")
    if sha256 is not None and partial.sha256 != sha256:
        raise WrongFileError(f"{url} has changed since the lock was made: its sha256 is {partial.sha256}, the lock has {sha256}")
    check_size(partial.size, sizes, url)
    if file_format == "cdf" and (stated := _stated_size(partial.path)) is not None and stated > partial.size:
        raise WrongFileError(f"{url} is cut short in the archive: its header says {stated} bytes, {partial.size} came; try again later.")


def check_size(size: int, sizes: tuple[int, int] | None, url: str) -> None:
    """Compare the size of a file, announced or come, with what the listing allows.

    Raises
    ------
    WrongFileError
        If it is another.
    """
    if sizes is not None and not sizes[0] <= size <= sizes[1]:
        raise WrongFileError(f"{url} has {size} bytes, but the archive's listing says about {sizes[1]}; try again later.")


def _stated_size(path: Path) -> int | None:
    """Bytes that a CDF must have by its own records; None if it is compressed as a whole, where only the inflating can tell.

    The CDF Descriptor Record stands at byte 8: its size (a word), its type (4 bytes), the offset of the Global Descriptor Record (a
    word), which after its size, its type and three offsets says where the file ends (CDF Internal Format Description, sections 2.2
    and 2.3). A word has 8 bytes since version 3 and had 4 before.
    """
    with path.open("rb") as stream:
        head = stream.read(32)
        if head[4:8] == COMPRESSED:
            return None
        word = 8 if head[:4] == VERSION_3 else 4
        at = 8 + word + 4
        end = int.from_bytes(head[at : at + word], "big") + word + 4 + 4 * word
        if end > path.stat().st_size:
            return end
        stream.seek(end - word)
        return int.from_bytes(stream.read(word), "big")
