"""The goals of speed: what was to be reached, and what was, from the results of the benchmark."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

BOUND = "bound: libdeflate alone"
SERIAL, PARALLEL = "ringdecay", ("ringdecay, 2 threads", "ringdecay, 2 processes")
ONE, ALL = "one core", "all cores"
#: Products and what they are called on the page.
CADENCES = {"rbspice-pap-tofxeh": "by spin", "rbspice-tofxeh": "by telescope"}
OTHERS = {"cdflib varget + groupby_bins": 8.0, "cdf_to_xarray + groupby_bins": 15.0, "pySPEDAS + groupby_bins": 30.0}
# From a profile of 30 files by spin and of 3 by telescope on one core, 2026-11-21.
_PARTS = {
    "by spin": (
        "of 75 ms a file libdeflate itself takes 26, compiled loops over 1.9 million values 23 (sums by pitch angle 8, logarithms 5, "
        "counts and means 5, missing values 4), copies of unpacked blocks 6, the rest is Python: 300 blocks, attributes, coordinates"
    ),
    "by telescope": (
        "libdeflate itself takes 30 % of the time, compiled loops 30 % (telescopes into pitch angles 20, sums and missing values 10), "
        "copies of unpacked blocks 9 %, the rest is Python: 2,700 blocks, coordinates of 90,000 records"
    ),
}
_LESS = (
    "the other does less: a mean over the sphere near the equator. ringdecay also unpacks the counting errors (a third of the bytes), and "
    "makes sums by pitch angle at all latitudes, counts, exposures and second moments"
)


class Goal(NamedTuple):
    """A goal: its text, what was reached (None: not measured), and whether that is enough."""

    text: str
    values: list[float]
    sense: Literal["at most", "at least"]
    limit: float
    unit: str = ""
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the median reaches the limit."""
        median = statistics.median(self.values)
        return median >= self.limit if self.sense == "at least" else median <= self.limit


def goals(results: dict[str, dict[str, Any]]) -> list[Goal]:
    """List the goals with what was reached; one that was not measured has no values."""
    reading = results.get("reading", {}).get("sets", {})
    found: list[Goal] = []
    for product, cadence in CADENCES.items():
        measured = reading.get(product, {}).get("measured", {})
        alone, bound_one, bound_all = seconds(measured, SERIAL, ONE), seconds(measured, BOUND, ONE), seconds(measured, BOUND, ALL)
        two, name = best(measured)
        task = f"read + bin {cadence}"
        found.append(Goal(f"{task}, one pinned core: bound x", ratios(alone, bound_one), "at most", 2.0))
        found.append(Goal(f"{task}, two workers: bound x", ratios(two, bound_all), "at most", 1.2, "", name))
        for other, least in OTHERS.items():
            text = f"{task}, two workers: faster than {other} x"
            found.append(Goal(text, ratios(seconds(measured, other, ALL), two), "at least", least, "", name))
    fits = {name: one["seconds"] for name, one in results.get("fits", {}).get("candidates", {}).items()}
    lines = ratios(fits.get("linregress", []), fits.get("ours", []))
    found.append(Goal("least squares of a mission's series: faster than a loop of linregress x", lines, "at least", 50.0))
    found.append(Goal("calibrated fits of a mission, two workers", fits.get("calibrated", []), "at most", 120.0, "s"))
    found.append(Goal("peak memory of a process that reads and bins", binning_memory(results), "at most", 500.0, "MB"))
    workflow = results.get("workflow", {})
    rules = workflow.get("rules", {})
    largest = max(rules, key=lambda rule: rules[rule]["max_rss_mb"], default="")
    peaks = [rules[largest]["max_rss_mb"]] if rules else []
    found.append(Goal("peak memory of any job of a mission's workflow", peaks, "at most", 500.0, "MB", largest))
    times = [workflow["seconds"]] if workflow else []
    files = f"{workflow['files']} files" if workflow else ""
    found.append(Goal("mission by spin through the workflow, two cores, files in the cache", times, "at most", 240.0, "s", files))
    found.append(Goal("the same with nothing to do", workflow.get("nothing_to_do_seconds", []), "at most", 5.0, "s"))
    starts = results.get("starts", {}).get("seconds", {})
    return found + [Goal(name, starts.get(name, []), "at most", 0.3, "s") for name in ("import ringdecay", "ringdecay --help")]


def seconds(measured: dict[str, Any], name: str, where: str) -> list[float]:
    """Seconds of a candidate in each round; none if it was left out."""
    return list(measured.get(name, {}).get(where, {}).get("seconds", []))


def best(measured: dict[str, Any]) -> tuple[list[float], str]:
    """Give the quicker of threads and processes: its seconds, and what it is."""
    found = [(seconds(measured, name, ALL), name) for name in PARALLEL if name in measured]
    times, name = min(found, key=lambda item: statistics.median(item[0]), default=([], ""))
    return times, name.removeprefix("ringdecay, ")


def ratios(above: Iterable[float], below: Iterable[float]) -> list[float]:
    """Ratio in each round, of two that were measured in the same rounds."""
    return [one / other for one, other in zip(above, below, strict=False)]


def binning_memory(results: dict[str, dict[str, Any]]) -> list[float]:
    """Give the largest peak memory of a process that read and binned, MB, as a list of one; none if it was not measured."""
    peaks = [
        peak
        for one in results.get("reading", {}).get("sets", {}).values()
        for name in (SERIAL, *PARALLEL)
        for found in one["measured"].get(name, {}).values()
        for peak in found["peak_mb"]
    ]
    if "scaling" in results:
        peaks.append(results["scaling"]["worker_peak_mb"])
    if "workflow" in results:
        peaks += [rule["max_rss_mb"] for name, rule in results["workflow"]["rules"].items() if name == "bin_flux"]
    return [max(peaks)] if peaks else []


def held_by() -> dict[str, str]:
    """Say of every goal that is missed what holds it, by the text of the goal."""
    found = {
        "mission by spin through the workflow, two cores, files in the cache": (
            "reading and binning are 512 of 993 seconds of work (100 ms a file; a quiet core alone takes 74, the rest is start and end of "
            "jobs and two at once); fits, start delays, pitch angles and other choices 212, SHA-256 of every file 65, the explorer 27; "
            "459 s were measured before pitch angles, other choices, explorer and five of the figures were made by every run"
        ),
        "peak memory of any job of a mission's workflow": (
            "the omnidirectional sums of the whole mission, 0.56 GB, are in memory at once when months are merged and storms are fitted; "
            "jobs that read files do not grow with the mission"
        ),
    }
    for cadence, parts in _PARTS.items():
        task = f"read + bin {cadence}"
        found[f"{task}, one pinned core: bound x"] = parts
        found[f"{task}, two workers: bound x"] = "the same work, which two workers share in 0.6 to 0.7 of the time of one"
        found |= {f"{task}, two workers: faster than {other} x": _LESS for other in OTHERS}
    return found
