"""The work of a run in pieces, each the same whoever does it: on the Dask scheduler that is set, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import dask
from dask.base import get_scheduler
from dask.multiprocessing import initialize_worker_process
from dask.system import CPU_COUNT

from ringdecay.schedule import dask_progress


@contextmanager
def kept_workers() -> Iterator[None]:
    """Keep the worker processes for all pieces of a block, if Dask is set to processes; it would start new ones for every list."""
    if dask.config.get("scheduler", None) != "processes" or dask.config.get("pool", None) is not None:
        yield
        return
    number = dask.config.get("num_workers", None) or CPU_COUNT
    with (
        ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=initialize_worker_process) as pool,
        # A piece is seconds of work: one at a time to each worker, whoever has set the scheduler.
        dask.config.set(pool=pool, chunksize=1),
    ):
        yield


def shared(pieces: Sequence[Callable[[], Any]], what: str) -> list[Any]:
    """Do pieces of work that know nothing of each other, and give their results in the order of the pieces.

    Parameters
    ----------
    pieces : sequence of callable
        Without arguments; `functools.partial` of a function of a module, so that another process can do it.
    what : str
        What they do, for the progress.
    """
    scheduler = None if get_scheduler() else "synchronous"
    with dask_progress(what, len(pieces)):
        return list(dask.compute(*(dask.delayed(piece, pure=False)() for piece in pieces), scheduler=scheduler))
