"""The command `ringdecay` itself, and what its subcommands share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringdecay import __version__
from ringdecay.errors import InputError, RingdecayError

if TYPE_CHECKING:
    import xarray as xr


FILE = click.Path(path_type=Path)
IN = click.Path(path_type=Path, dir_okay=False)
ARCHIVE = "A folder or an http(s) address laid out like SPDF's /pub/data; give several to try them in order."


def _refuse_overwriting(arguments: dict[str, Any]) -> None:
    """Refuse an output that is one of the inputs."""
    output = arguments.get("output")
    given = [path for value in arguments.values() for path in (value if isinstance(value, tuple) else (value,)) if isinstance(path, Path)]
    if output is not None and sum(path.resolve() == output.resolve() for path in given) > 1:
        raise InputError(f"{output} is an input; write to another file")


def stage(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a fault of the input into one sentence and exit status 1, instead of a traceback."""

    def run(**arguments: Any) -> None:
        try:
            _refuse_overwriting(arguments)
            function(**arguments)
        except BrokenPipeError:
            raise
        except (RingdecayError, OSError) as error:
            raise click.ClickException(str(error)) from error

    return update_wrapper(run, function)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="ringdecay")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done, file by file.")
def main(verbose: bool) -> None:
    """Find the decay times of ring-current protons after geomagnetic storms.

    The whole pipeline is run by Snakemake (`snakemake --cores all`); these commands run one stage at a time:

    \b
      ringdecay simulate archive/
      ringdecay fetch rbspice-pap-tofxeh -p a --start 2015-04-15 --stop 2015-05-15 --archive archive/ --lock a.tsv
      ringdecay bin a.tsv --archive archive/ -o a.nc
      ringdecay storms archive/omni/omni_cdaweb/hro_5min/2015/*.cdf --threshold -80 -o storms.csv
      ringdecay fit a.nc --storms storms.csv -o decays.nc
      ringdecay lifetimes decays.nc -o lifetimes.nc
      ringdecay table lifetimes.nc
    """  # noqa: D301 - click wants the control character itself
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)


def expect(dataset: xr.Dataset, path: Path, dims: set[str], what: str) -> xr.Dataset:
    """Refuse a dataset that lacks dimensions of what was asked for."""
    if not dims <= set(dataset.dims):
        raise InputError(f"{path} is no {what}: it has the dimensions {', '.join(map(str, dataset.dims))}")
    return dataset


def simulated(dataset: Any) -> str:
    """Say what has to be said of a result made from simulated data."""
    from ringdecay.store import is_simulated  # noqa: PLC0415

    return " (SIMULATED)" if is_simulated(dataset) else ""
