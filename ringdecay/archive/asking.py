"""One question to a server: the answer hoped for, or an error that says whether asking again may help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from ringdecay.archive import answers
from ringdecay.errors import ArchiveError

# Seconds to connect and between two pieces of an answer.
TIMEOUT = (10.0, 60.0)
# A server that says one of these is not able to serve at all, for the time being.
_UNAVAILABLE = {429, 502, 503, 504}
# The server will not learn in a minute what it does not know.
_FINAL = {501, 505}


class NotThereError(ArchiveError):
    """The server says that it does not have the file (404 or 410): it was replaced since the listing, or another mirror has it."""


class UnreachableError(ArchiveError):
    """The host gave no answer that could be used in all attempts, or asks for a longer wait than a file may take."""


class TransientError(Exception):
    """An answer that may be better next time."""

    def __init__(self, message: str, *, unreachable: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.unreachable, self.wait, self.progress = unreachable, wait, False


def pieces(response: requests.Response) -> Iterator[bytes]:
    """Give the body of an answer piece by piece; a fault in it may pass."""
    try:
        yield from answers.body(response)
    except answers.CutError as error:
        raise TransientError(str(error)) from error


@contextmanager
def answer(
    session: requests.Session, method: str, url: str, *, accepted: tuple[int, ...] = (200,), headers: dict[str, str] | None = None
) -> Iterator[requests.Response]:
    """Ask once; give the answer with one of the accepted statuses, its body not yet loaded."""
    try:
        response = session.request(method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True)
    except (requests.ConnectionError, requests.Timeout) as error:
        reason = _reason(error)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            raise ArchiveError(f"{url}: the server's certificate is not valid ({reason}); check the clock and the address.") from error
        raise TransientError(reason, unreachable=True) from error
    except requests.RequestException as error:
        raise ArchiveError(f"{url} could not be loaded ({error}).") from error
    with response:
        if response.status_code not in accepted:
            raise _refusal(response, url)
        yield response


def _reason(error: Exception) -> str:
    """Say why there was no answer, without the objects that the libraries wrap it in."""
    inner = error.args[0] if error.args else error
    return re.sub(r"^\w+\(host=[^)]*\): ", "", str(getattr(inner, "reason", inner)))


def _refusal(response: requests.Response, url: str) -> Exception:
    """Make the error for a status that is not the one hoped for."""
    status = response.status_code
    if status == requests.codes.too_many_requests or (status >= 500 and status not in _FINAL):
        return TransientError(
            f"the server answered with status {status}", unreachable=status in _UNAVAILABLE, wait=answers.retry_after(response)
        )
    if 300 <= status < 400:
        where = response.headers.get("Location", "nowhere")
        return ArchiveError(f"{url} redirects to {where}, which is not followed; if you trust that address, name it as the archive.")
    kind = NotThereError if status in {404, 410} else ArchiveError
    return kind(f"{url}: the server answered with status {status} ({response.reason}); check the address of the archive.")
