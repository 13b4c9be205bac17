"""The command `ringdecay` itself, and what its subcommands share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringdecay import __version__
from ringdecay.errors import InputError, RingdecayError, unknown
from ringdecay.progress import showing

if TYPE_CHECKING:
    import xarray as xr


FILE = click.Path(path_type=Path)
IN = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
ARCHIVE = "A folder or an http(s) address laid out like SPDF's /pub/data; give several to try them in order."

_ORDER = ("simulate", "fetch", "check", "bin", "storms", "fit", "lifetimes", "table", "plot", "explore", "validate", "info")

as_json_option = click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object on standard output, and nothing else.")


class _InOrder(click.Group):
    """Commands in the order of the work, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the commands."""
        return sorted(self.commands, key=_ORDER.index)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="ringdecay")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done, file by file.")
@click.pass_context
def main(context: click.Context, verbose: bool) -> None:
    """Find the decay times of ring-current protons after geomagnetic storms.

    New here? In a clone of the repository `make run` does everything on a simulated archive, without a network, and
    `ringdecay explore results/demo` shows what it found.

    The commands below do one stage at a time, on simulated or real files:

    \b
      ringdecay simulate archive/
      ringdecay fetch rbspice-pap-tofxeh -p a --start 2015-04-15 --stop 2015-05-15 --archive archive/ --lock a.tsv
      ringdecay bin a.tsv --archive archive/ -o a.nc
      ringdecay storms archive/omni/omni_cdaweb/hro_5min/2015/*.cdf --threshold -80 -o storms.csv
      ringdecay fit a.nc --storms storms.csv -o decays.nc
      ringdecay lifetimes decays.nc -o lifetimes.nc
      ringdecay table lifetimes.nc

    `ringdecay COMMAND --help` has an example of each. Results go to standard output or the file that is named, everything else to
    standard error; --json gives results to scripts.

    \b
    Exit status: 0  all is well
                 1  a file, a value or the data are not what they should be; one sentence says which and what to do
                 2  the call is wrong: an unknown command, option or product, or one that is missing
    """  # noqa: D301 - click wants the control character itself
    context.with_resource(_telling(verbose=verbose))


def command(short: str, example: str, name: str | None = None, more: str = "") -> Callable[[Callable[..., Any]], click.Command]:
    """Make a subcommand.

    Parameters
    ----------
    short : str
        What it does, for the list of all commands; what its help says is the docstring of the function.
    example : str
        A call of it, with which its help ends.
    name : str, optional
        Its name if it is not the function's.
    more : str
        What its help says after the example.
    """
    return main.command(name, short_help=short, epilog=f"\b\nExample:\n  {example}" + (f"\n\n{more}" if more else ""))


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


def one_of(kind: str, known: Collection[str]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Make the callback of an option that names one of many things; a wrong name is a wrong call, and the nearest right one is said."""

    def checked(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None and value not in known:
            raise click.UsageError(str(unknown(kind, value, known)))
        return value

    return checked


def expect(dataset: xr.Dataset, path: Path, dims: set[str], what: str, *, more: bool = False) -> xr.Dataset:
    """Refuse a dataset without `tau`, or with a `tau` that lacks dimensions of what was asked for, or has more of them unless it may."""
    if "tau" not in dataset:
        raise InputError(f"{path} is no {what}: it has no tau")
    found = set(dataset["tau"].dims)
    if not (dims <= found if more else dims == found):
        raise InputError(f"{path} is no {what}: its tau is over {', '.join(map(str, dataset['tau'].dims)) or 'nothing'}")
    return dataset


def _refuse_overwriting(arguments: dict[str, Any]) -> None:
    """Refuse an output that is one of the inputs."""
    output = arguments.get("output")
    given = [path for value in arguments.values() for path in (value if isinstance(value, tuple) else (value,)) if isinstance(path, Path)]
    if output is not None and sum(path.resolve() == output.resolve() for path in given) > 1:
        raise InputError(f"{output} is an input; write to another file")


class _StandardError(logging.Handler):
    """Writes to what standard error is at the moment: while a bar is shown, that is above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        sys.stderr.write(f"{self.format(record)}\n")


@contextmanager
def _telling(*, verbose: bool) -> Iterator[None]:
    """Write the package's messages to standard error, and show progress there: bars on a terminal, some lines elsewhere."""
    package, progress = logging.getLogger("ringdecay"), logging.getLogger("ringdecay.progress")
    before = package.level, progress.level
    handler = _StandardError()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    package.addHandler(handler)
    package.setLevel(logging.INFO if verbose else logging.WARNING)
    progress.setLevel(logging.INFO)
    try:
        with showing("bars" if sys.stderr.isatty() else "lines"):
            yield
    finally:
        package.removeHandler(handler)
        package.setLevel(before[0])
        progress.setLevel(before[1])
