"""How far long work has come, said in one way everywhere.

On a terminal, where the command line asks for it, there is a bar that goes away when the work is done; elsewhere there are some lines in
the log, of level INFO. So a library says nothing unless its user asks for such lines.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

logger = logging.getLogger(__name__)

# Unit of what is counted in bytes, and shown in larger ones.
BYTES = "B"
# Work that is over sooner (seconds) has no line. Then there is one for each quarter, and one after so long a silence.
PATIENCE, LONGEST_SILENCE = 5.0, 30.0

Shown = Literal["bars", "lines", "nothing"]
_shown: ContextVar[Shown] = ContextVar("shown", default="lines")


class Advance(Protocol):
    """Tell that more is done, from any thread; `more` adds to the whole work."""

    def __call__(self, done: float = 1, *, more: float = 0) -> None: ...  # noqa: D102


@contextmanager
def showing(how: Shown) -> Iterator[None]:
    """Show the progress of all work of a block as bars on standard error, as lines in the log (the default), or not at all."""
    token = _shown.set(how)
    try:
        yield
    finally:
        _shown.reset(token)


@contextmanager
def progress(what: str, total: float | None, unit: str = "") -> Iterator[Advance]:
    """Show how far the work of a block has come.

    Parameters
    ----------
    what : str
        What is done, such as "binning".
    total : float or None
        How much of it there is; None if that is not known.
    unit : str
        What it is counted in, such as "files"; `BYTES` are shown as MB.

    Yields
    ------
    Advance
        To be called for what is done. Work inside the block that would show progress of its own shows none.
    """
    how = _shown.get()
    with showing("nothing"):
        if how == "bars":
            with _bar(what, total, unit) as advance:
                yield advance
        else:
            yield _lines(what, total, unit) if how == "lines" else _ignore


def _ignore(done: float = 1, *, more: float = 0) -> None:
    """Say nothing."""


@contextmanager
def _bar(what: str, total: float | None, unit: str) -> Iterator[Advance]:
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second, and only for those who look at it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    count = [DownloadColumn(), TransferSpeedColumn()] if unit == BYTES else [MofNCompleteColumn(), TextColumn(unit)]
    columns = [TextColumn("{task.description}"), BarColumn(), *count, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()]
    guard = threading.Lock()
    # Standard output belongs to the results, which may go to a file while the bar is on the terminal.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=total)

        def advance(done: float = 1, *, more: float = 0) -> None:
            nonlocal total
            with guard:
                if more and total is not None:
                    total += more
                    bar.update(task, total=total)
                bar.update(task, advance=done)

        yield advance


def _lines(what: str, total: float | None, unit: str) -> Advance:
    guard, began = threading.Lock(), time.monotonic()
    so_far, quarters, last = 0.0, 0, began

    def advance(done: float = 1, *, more: float = 0) -> None:
        nonlocal total, so_far, quarters, last
        with guard:
            so_far += done
            total = None if total is None else total + more
            now = time.monotonic()
            reached = int(4 * so_far / total) if total else 0
            if now - began < PATIENCE or (reached <= quarters and now - last < LONGEST_SILENCE):
                return
            quarters, last = max(reached, quarters), now
            logger.info("%s: %s, %.0f s", what, _amount(so_far, total, unit), now - began)

    return advance


def _amount(done: float, total: float | None, unit: str) -> str:
    scale, digits, unit = (1e6, 1, "MB") if unit == BYTES else (1.0, 0, unit)
    text = f"{done / scale:.{digits}f}"
    if not total:
        return f"{text} {unit}".rstrip()
    of_all = f"{text} of {total / scale:.{digits}f} {unit}".rstrip()
    return f"{100 * done / total:.0f} % ({of_all})"
