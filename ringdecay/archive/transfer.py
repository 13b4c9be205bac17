"""One attempt to load a file: behind what is there already, or from the start, and visible only when it is verified."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import requests

from ringdecay.archive import answers
from ringdecay.archive.asking import TransientError, answer, pieces
from ringdecay.archive.partial import Origin, Partial
from ringdecay.archive.verify import FileFormat, WrongFileError, check_size, verify
from ringdecay.errors import ArchiveError

logger = logging.getLogger(__name__)

# Bytes of a file of which neither the listing nor the answer says the size.
LARGEST_UNANNOUNCED = 2 << 30

# Is told how many bytes of the file are there, and how many of them have just come.
Tell = Callable[[int, int], None]


class _StaleError(Exception):
    """What an earlier attempt left cannot become the file."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for, and what it must be; as in `download`."""

    session: requests.Session
    url: str
    file_format: FileFormat
    sizes: tuple[int, int] | None
    sha256: str | None


def load_once(wanted: Wanted, partial: Partial, tell: Tell) -> tuple[int, str]:
    """Load behind what is there already, or else from the start."""
    origin = partial.recall(wanted.url)
    if origin is not None:
        try:
            return _go_on(wanted, partial, origin, tell)
        except _StaleError as error:
            logger.info("%s: what had come of it is of no use (%s); it is loaded from the start", wanted.url, error)
            partial.discard()
    with answer(wanted.session, "GET", wanted.url) as response:
        return _from_start(wanted, partial, response, tell)


def _go_on(wanted: Wanted, partial: Partial, origin: Origin, tell: Tell) -> tuple[int, str]:
    """Load the bytes behind those of the part."""
    headers = {"Range": f"bytes={partial.size}-", "If-Range": origin.validator}
    with answer(wanted.session, "GET", wanted.url, accepted=(200, 206, 416), headers=headers) as response:
        if response.status_code == requests.codes.ok:
            logger.info("%s: the server sends the whole file again", wanted.url)
            return _from_start(wanted, partial, response, tell)
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            raise _StaleError("the server does not have that range")
        fault = answers.misfit(response, origin, partial.size)
        if fault is not None:
            raise _StaleError(f"the rest does not fit: {fault}")
        logger.info("%s: goes on at byte %d of %d", wanted.url, partial.size, origin.size)
        partial.go_on(origin)
        tell(partial.size, 0)
        try:
            _receive(response, partial, origin.size, wanted, tell)
            verify(partial, wanted.url, wanted.file_format, wanted.sizes, wanted.sha256)
        except WrongFileError as error:
            raise _StaleError(str(error)) from error
        size, digest = partial.size, partial.sha256
        partial.finish(answers.http_date(origin.modified))
        return size, digest


def _from_start(wanted: Wanted, partial: Partial, response: requests.Response, tell: Tell) -> tuple[int, str]:
    """Load the whole file."""
    if (content_type := answers.no_data(response)) is not None:
        what = "a web page" if "html" in content_type.lower() else content_type
        raise ArchiveError(
            f"{wanted.url} answered with {what} where a {wanted.file_format} file was expected; open it in a browser to see why."
        )
    encoding = answers.content_encoding(response)
    if encoding not in {"", "gzip", "x-gzip"}:
        raise ArchiveError(f"{wanted.url} comes compressed ({encoding}) though that was not asked for; try again later.")
    announced = answers.content_length(response)
    if announced is not None:
        check_size(announced, wanted.sizes, wanted.url)
    partial.begin(answers.origin_of(response, wanted.url))
    tell(0, 0)
    try:
        _receive(response, partial, announced, wanted, tell)
        verify(partial, wanted.url, wanted.file_format, wanted.sizes, wanted.sha256)
    except WrongFileError:
        partial.discard()
        raise
    size, digest = partial.size, partial.sha256
    partial.finish(answers.http_date(response.headers.get("Last-Modified")))
    return size, digest


def _receive(response: requests.Response, partial: Partial, announced: int | None, wanted: Wanted, tell: Tell) -> None:
    """Add the body to the part; `announced` is the size of the whole file."""
    largest = announced if announced is not None else wanted.sizes[1] if wanted.sizes else LARGEST_UNANNOUNCED
    for piece in pieces(response):
        if partial.size + len(piece) > largest:
            raise WrongFileError(f"{wanted.url} does not end: more than {largest} bytes came; try again later.")
        partial.append(piece)
        tell(partial.size, len(piece))
    if announced is None and not partial.size:
        raise TransientError("nothing came")  # which is also what an answer looks like that breaks off in its head
    if announced is not None and partial.size != announced:
        raise TransientError(f"{partial.size} bytes came of {announced}")
