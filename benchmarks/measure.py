"""One candidate on one set of files, in a process of its own: prints seconds and peak memory as JSON. `bench.py` starts it."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

import click

#: Inflating the compressed blocks and nothing else.
BOUND = "bound: libdeflate alone"


@click.command()
@click.argument("name")
@click.argument("product")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--core", type=int, help="Pin the process to this core.")
@click.option("--no-deflate", is_flag=True, help="As if the package deflate were not installed.")
def main(name: str, product: str, files: tuple[Path, ...], core: int | None, *, no_deflate: bool) -> None:
    """Measure candidate NAME on FILES of PRODUCT."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    if no_deflate:
        # cdflib looks for the package when it is imported; then takes zlib, as in an installation of cdflib alone. ringdecay needs it.
        sys.modules["deflate"] = None  # type: ignore[assignment]
        importlib.import_module("cdflib")
        del sys.modules["deflate"]
    seconds, processor = bound(list(files), product) if name == BOUND else candidate(name, list(files), product)
    # Linux counts kB. Of workers, those that have ended are counted: the largest of them.
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    click.echo(json.dumps({"seconds": seconds, "cpu_seconds": processor, "peak_mb": max(peaks)}))


def candidate(name: str, files: list[Path], product: str) -> tuple[float, float]:
    """Time a way to read and bin, after a first file that imports, compiles and starts workers."""
    import readers  # noqa: PLC0415 - after the core is set and deflate taken away

    where, workers = readers.SCHEDULERS.get(name, ("synchronous", 1))
    with readers.scheduler(where, workers):
        readers.CANDIDATES[name](files[:workers], product)  # one for each worker
        begin, processor = time.perf_counter(), time.process_time()
        readers.CANDIDATES[name](files, product)
        return time.perf_counter() - begin, time.process_time() - processor


def bound(files: list[Path], product: str) -> tuple[float, float]:
    """Time libdeflate on the blocks that this project's reader needs; where they are was found before, and they are in memory."""
    import deflate  # noqa: PLC0415
    from blocks import compressed_blocks  # noqa: PLC0415
    from readers import variables_read  # noqa: PLC0415

    names = variables_read(product)
    seconds = processor = 0.0
    for i, file in enumerate([files[0], *files]):
        blocks = compressed_blocks(file, names)
        begin, began = time.perf_counter(), time.process_time()
        for block in blocks:
            deflate.gzip_decompress(block)
        if i:
            seconds += time.perf_counter() - begin
            processor += time.process_time() - began
    return seconds, processor


if __name__ == "__main__":
    main()
