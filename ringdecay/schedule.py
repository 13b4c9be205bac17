"""Where Dask runs the work of a stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dask

from ringdecay.errors import InputError, unknown

LOCAL = ("processes", "threads", "synchronous")


@contextmanager
def dask_on(where: str | None, workers: int = 1, *, wait_seconds: float = 30.0) -> Iterator[None]:
    """Run the Dask work of a block on a scheduler.

    Parameters
    ----------
    where : str or None
        "processes", "threads" or "synchronous" on this machine, or the address (tcp://host:port) of a Dask scheduler. None is
        "synchronous": in this process, one after the other.
    workers : int
        How many workers on this machine. One worker needs no other process, and none is started for it.
    wait_seconds : float
        How long to wait for a scheduler to answer.

    Raises
    ------
    InputError
        If `where` is none of these, or no scheduler answers at the address.
    """
    if where is None:
        where = "synchronous"
    if where.startswith(("tcp://", "tls://")):
        from distributed import Client  # noqa: PLC0415 - a second to import, and few need it

        try:
            client = Client(where, timeout=wait_seconds)
        except (OSError, TimeoutError) as error:
            raise InputError(f"no Dask scheduler answers at {where} ({error}); start one with `dask scheduler`") from error
        with client:
            yield
    elif where in LOCAL:
        with dask.config.set(scheduler=where if workers > 1 else "synchronous", num_workers=workers):
            yield
    else:
        raise unknown("Dask scheduler", where, LOCAL)
