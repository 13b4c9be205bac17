"""What an HTTP answer says of the file it carries, and its body without the wrapping; knows nothing of connections and retries."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

import requests
import urllib3

from ringdecay.archive.partial import Origin

# Bytes that are read at once; fewer come back as soon as there are some.
_PIECE = 1 << 17
# Answers of these types are no data, whatever their name; a missing or a wrong but harmless type is left to the bytes.
_NO_DATA = re.compile(r"(text/html|application/xhtml\+xml|application/json|(image|audio|video|font)/.+)", re.IGNORECASE)
# Seconds by which the time of the answer must be later than the time of modification. A file that is written twice within the
# resolution of the time has one Last-Modified for two states (RFC 9110, section 8.8.2.2).
_SETTLED = 60.0


class CutError(Exception):
    """A body that did not come as it was announced."""


def body(response: requests.Response) -> Iterator[bytes]:
    """Give the body piece by piece as soon as each comes, decoded if it is compressed; a piece can be empty.

    A server that compresses although it was asked not to is taken at its word: what is saved is the file.

    Raises
    ------
    CutError
        If it ends too early, breaks off or cannot be decoded.
    """
    decoder = zlib.decompressobj(wbits=31) if content_encoding(response) in {"gzip", "x-gzip"} else None
    received = 0
    try:
        while piece := response.raw.read1(_PIECE, decode_content=False):
            received += len(piece)
            if decoder is None:
                yield piece
                continue
            while piece:
                # Bounded, because a small piece can hold a thousand times as much.
                yield decoder.decompress(piece, _PIECE)
                piece = decoder.unconsumed_tail
                if decoder.eof and decoder.unused_data:
                    piece, decoder = decoder.unused_data, zlib.decompressobj(wbits=31)
        # What the last input still holds beyond the bound.
        while decoder is not None and not decoder.eof and (rest := decoder.decompress(b"", _PIECE)):
            yield rest
    except (urllib3.exceptions.HTTPError, zlib.error) as error:
        raise CutError(f"the body broke off after {received} bytes: {error}") from error
    announced = _number(response, "Content-Length")
    if announced is not None and received != announced:
        raise CutError(f"{received} bytes came of {announced}")
    if decoder is not None and not decoder.eof:
        raise CutError(f"the compressed body breaks off after {received} bytes")


def content_encoding(response: requests.Response) -> str:
    """How the body is wrapped; empty if it is not."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


def content_length(response: requests.Response) -> int | None:
    """Announced size of the file; of an encoded body the length says nothing of the file."""
    return None if content_encoding(response) else _number(response, "Content-Length")


def has_length(response: requests.Response) -> bool:
    """Whether a body that is cut can be told from a whole one."""
    return bool(response.raw.chunked or content_encoding(response)) or _number(response, "Content-Length") is not None


def no_data(response: requests.Response) -> str | None:
    """Give the type of an answer that cannot be a data file; None if it may be one."""
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    return content_type if _NO_DATA.fullmatch(content_type) else None


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait, said as a number or as a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text[:12])
    date = http_date(text)
    if date is None:
        return None
    # By the server's clock, if it says what time that shows.
    now = http_date(response.headers.get("Date"))
    return max(0.0, date - (time.time() if now is None else now))


def origin_of(response: requests.Response, url: str) -> Origin | None:
    """Find by what an interrupted download of this whole answer can be resumed; None if that would not be safe.

    Safe is a strong ETag, or without any ETag a Last-Modified that had settled when the answer was made.
    """
    size, etag, modified = content_length(response), response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    if size is None or response.headers.get("Accept-Ranges", "").strip().lower() == "none":
        return None
    if etag:
        return Origin(url, etag, modified, size) if re.fullmatch(r'"[^"]*"', etag) else None
    since, now = http_date(modified), http_date(response.headers.get("Date"))
    return Origin(url, "", modified, size) if since is not None and now is not None and now - since >= _SETTLED else None


def misfit(response: requests.Response, origin: Origin, begin: int) -> str | None:
    """Why a partial answer does not go on at byte `begin` of the very same file; None if it does."""
    said = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", said.strip())
    if found is None or int(found[1]) != begin or int(found[3]) != origin.size or not begin <= int(found[2]) < origin.size:
        return f"its Content-Range is {said!r}"
    if content_encoding(response):
        return "it is compressed"
    # The entity tag must be repeated (RFC 9110, section 15.3.7), Last-Modified need not be.
    if response.headers.get("ETag", "") != origin.etag:
        return f"its ETag is {response.headers.get('ETag')}, it was {origin.etag or 'missing'}"
    if origin.modified and response.headers.get("Last-Modified", origin.modified) != origin.modified:
        return "it has another Last-Modified"
    return None


def _number(response: requests.Response, header: str) -> int | None:
    text = response.headers.get(header, "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def http_date(text: str | None) -> float | None:
    """Unix seconds of a date in a header; None if there is none or it makes no sense."""
    try:
        date = parsedate_to_datetime(text or "")
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
