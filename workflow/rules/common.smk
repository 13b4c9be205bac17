import functools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Jobs run side by side; threads of the linear algebra would fight over their cores, and for such small matrices one is quicker.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# This file's own folder is workflow/rules, wherever Snakemake was started.
PROJECT = Path(str(workflow.current_basedir)).resolve().parents[1]
# Not the installed package: the workflow must be readable (for the catalogue, or a dry run) where only Snakemake is installed.
# The two modules import nothing that Snakemake does not bring itself.
sys.path.insert(0, str(PROJECT))
from ringdecay.config import check_config, months, period_span, years
from ringdecay.errors import InputError
from ringdecay.fingerprint import script_fingerprint


class RunConfig(dict):
    """The config, and what the run found, because captions of the report see nothing else.

    Jobs get a plain dict.
    """

    @property
    def found(self):
        """Give the numbers of the finished run; empty before."""
        return json.loads(Path(SUMMARY).read_text()) if Path(SUMMARY).is_file() else {}

    def __reduce__(self):
        return dict, (dict(self),)


try:
    config = RunConfig(check_config(config))
except InputError as error:
    raise WorkflowError(str(error)) from None

# Snakemake takes a result as up to date if the file it was made from has gone; a wrong path must not pass for that.
for own in [
    config["storms"]["table"],
    config["windows"]["table"],
    *config["index"]["files"],
    *config["index"]["Kp_files"],
    config["lock"],
]:
    if own and not Path(own).is_file():
        raise WorkflowError(
            f"config: there is no file {own} (named as storms.table, windows.table or lock, in index.files or in index.Kp_files)"
        )

RUN = config["run"]
RESULTS = f"results/{RUN}"
SUMMARY = f"{RESULTS}/summary.json"
if (
    config["lock"]
    and Path(config["lock"]).resolve() == Path(RESULTS, "inputs.tsv").resolve()
):
    raise WorkflowError(
        f"config: lock is {config['lock']}, which this run writes itself; copy it to another place and name the copy"
    )
RESOURCES = f"resources/{RUN}"
LOGS = f"logs/{RUN}"
DEMO = f"{RESOURCES}/demo-archive"
# Up to some twenty storms one process fits them sooner than two that have to be started first; --set-threads fit_decays=8 for more.
FIT_THREADS = 2 if len(years(config["start"], config["stop"])) > 2 else 1


wildcard_constraints:
    probe="[ab]",
    period=r"\d{4}(\d{2})?",
    year=r"\d{4}",


@functools.cache
def fingerprint_of(script):
    """Give the fingerprint of the source that a script imports."""
    return script_fingerprint(
        PROJECT / f"workflow/scripts/{script}.py", PROJECT / "ringdecay"
    )


def code(script):
    """Give a parameter that changes with the source a script imports, because Snakemake sees only changes of the script itself."""
    # A function, so that a job that an executor starts in a process of its own reads the source of its own script only.
    return lambda wildcards: fingerprint_of(script)


def span(wildcards):
    """Give the first day of a job's month or year and the day after its last, within the run."""
    period = wildcards.get("period") or wildcards.year
    return period_span(period, config["start"], config["stop"])


def binning_periods():
    """List the months or years that are binned by a job each."""
    return {"month": months, "year": years}[config["binning_job"]](
        config["start"], config["stop"]
    )


def lock_of(wildcards):
    """Name the table of files that the files of a month or year stand in."""
    return f"{RESOURCES}/inputs/{wildcards.probe}_{wildcards.period[:4]}.tsv"


def archive_input(wildcards):
    """Name what has to be there before anything is fetched: the truth of the demonstration archive, which is written last."""
    return f"{DEMO}/truth.nc" if config["archive"] == "demo" else []


def archive_is_remote():
    """Tell whether files are loaded over a network, where a second try can help."""
    places = config["archive"]
    places = [places] if isinstance(places, str) else places
    remote = any(place.startswith(("http://", "https://")) for place in places)
    return remote and not config["offline"]


def archive_place():
    """Give the folder or address of the archive, or a list of them."""
    return DEMO if config["archive"] == "demo" else config["archive"]


def truth_input(wildcards):
    """Name the truth for the figures, if there is one."""
    return f"{DEMO}/truth.nc" if config["archive"] == "demo" else []


def storm_input(wildcards):
    """Name what storms are found in: a table of the user's own, or the index."""
    return config["storms"]["table"] or f"{RESOURCES}/index.nc"


FIGURES = [
    "overview",
    "storm_fits",
    "lifetime_map",
    "lifetime_curves",
    "lifetime_surface",
    "theory_ratio",
    "coverage",
    "coverage_cells",
    "energy_content",
    "theory_map",
    "storm_channels",
    "residuals",
    "rate_distributions",
    "pitch_angles",
    "probes",
    "sensitivity",
]


def final_outputs():
    """List what a whole run makes."""
    tables = [
        "storms.csv",
        "decays.nc",
        "decays.csv",
        "lifetimes.nc",
        "lifetimes.csv",
        "lifetimes.tex",
        "surface.nc",
        "surface.csv",
        "theory.nc",
        "theory.csv",
        "theory_factors.csv",
        "start_delays.nc",
        "start_delays.csv",
        "pitch_angles.nc",
        "pitch_angles.csv",
        "sensitivity.nc",
        "sensitivity.csv",
        "energy_content.nc",
        "energy_content.csv",
        "pressure.csv",
        "energy_decay.nc",
        "energy_decay.csv",
        "influence.csv",
        "dependence.csv",
        "files.csv",
        "inputs.tsv",
        "provenance.json",
        "explorer.html",
        "summary.html",
        "summary.json",
        "coverage.html",
        "coverage.csv",
        "coverage_cells.csv",
    ]
    compared = config["fit"]["compare"]
    tables += ["estimators.csv", "estimator_ratios.csv"] if compared else []
    names = [*FIGURES, "estimators"] if compared else FIGURES
    figures = [
        f"figures/{name}.{suffix}" for name in names for suffix in ("png", "svg")
    ]
    return [f"{RESULTS}/{name}" for name in [*tables, *figures]]


def results_in_folder():
    """Name what a whole run makes, as paths below its folder."""
    return [output.removeprefix(f"{RESULTS}/") for output in final_outputs()]
