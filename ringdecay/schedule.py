"""Where Dask runs the work of a stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dask
from dask.callbacks import Callback

from ringdecay.errors import InputError, unknown
from ringdecay.fingerprint import source_fingerprint
from ringdecay.progress import progress

if TYPE_CHECKING:
    from distributed import Client

LOCAL = ("processes", "threads", "synchronous")


@contextmanager
def dask_on(
    where: str | None, workers: int = 1, *, files: Sequence[str | PathLike[str]] = (), wait_seconds: float = 30.0
) -> Iterator[None]:
    """Run the Dask work of a block on a scheduler.

    Parameters
    ----------
    where : str or None
        "processes", "threads" or "synchronous" on this machine, or the address (tcp://host:port) of a Dask scheduler. None is
        "synchronous": in this process, one after the other.
    workers : int
        How many workers on this machine. One worker needs no other process, and none is started for it.
    files : sequence of path-like
        What the work reads. Workers elsewhere are asked whether they see it, because a file that they do not see is one that
        cannot be used, and would be missing in the result.
    wait_seconds : float
        How long to wait for a scheduler to answer, and for its first worker.

    Raises
    ------
    InputError
        If `where` is none of these, no scheduler answers at the address, it has no worker, or a worker has another source of this
        package (its values could be others) or does not see the files.
    """
    if where is None:
        where = "synchronous"
    if where.startswith(("tcp://", "tls://")):
        if not _has_port(where):
            # A client that fails to parse its address would stay behind as the one that all later work is sent to, and waits for ever.
            raise InputError(f"the address {where} of a Dask scheduler has no port; give tcp://host:port, as `dask scheduler` says it")
        from distributed import Client  # noqa: PLC0415 - a second to import, and few need it

        try:
            client = Client(where, timeout=wait_seconds)
        except (OSError, TimeoutError) as error:
            raise InputError(f"no Dask scheduler answers at {where} ({error}); start one with `dask scheduler`") from error
        with client:
            _check_workers(client, where, [str(Path(file).absolute()) for file in files], wait_seconds)
            yield
    elif where in LOCAL:
        # A task is a file or a storm: one at a time to each worker, where Dask would hand six at once to a process.
        with dask.config.set(scheduler=where if workers > 1 else "synchronous", num_workers=workers, chunksize=1):
            yield
    else:
        raise unknown("Dask scheduler", where, LOCAL)


@contextmanager
def dask_progress(what: str, tasks: int, unit: str = "") -> Iterator[None]:
    """Show how many tasks of the Dask work of a block are done; a scheduler in another process tells nothing of them."""
    with progress(what, tasks, unit) as advance, Callback(posttask=lambda *_: advance()):
        yield


def _has_port(address: str) -> bool:
    try:
        return urlsplit(address).port is not None
    except ValueError:
        return False


def _check_workers(client: Client, where: str, files: list[str], wait_seconds: float) -> None:
    try:
        client.wait_for_workers(1, timeout=wait_seconds)
    except TimeoutError as error:
        raise InputError(f"the Dask scheduler at {where} has no worker; start some with `dask worker {where}`") from error
    try:
        found = client.run(_looked_around, files)
    except ModuleNotFoundError as error:
        raise InputError(f"a Dask worker of {where} lacks a package ({error}); start it in the same environment as the run") from error
    here = source_fingerprint()
    for worker, (fingerprint, missing) in found.items():
        if fingerprint != here:
            raise InputError(f"the Dask worker {worker} has another ringdecay ({fingerprint}, here {here}); start it with the same source")
        if missing:
            raise InputError(f"the Dask worker {worker} does not see {missing[0]}; put the files where all machines see them")


def _looked_around(files: list[str]) -> tuple[str, list[str]]:
    """Tell, on a worker, the source it has and which of the files it does not see."""
    return source_fingerprint(), [file for file in files if not Path(file).is_file()]
