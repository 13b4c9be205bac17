"""Make the tables and figures of docs/performance.md from benchmarks/results: `python benchmarks/page.py`."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from goals import ALL, BOUND, CADENCES, ONE, OTHERS, PARALLEL, SERIAL, goals, held_by, ratios, seconds

HERE = Path(__file__).resolve().parent
RESULTS, PAGE = HERE / "results", HERE.parent / "docs/performance.md"
BEGIN, END = "<!-- begin: written by benchmarks/page.py -->", "<!-- end -->"
NAMES = ("reading", "fits", "workflow", "scaling", "starts")
#: What the names of `fits.py` stand for.
FITS = {
    "ours": "ringdecay, least squares of all series at once (numpy)",
    "linregress": "a loop over scipy.stats.linregress",
    "calibrated": "ringdecay, calibrated fits with every estimator, floors and joint fits",
}
#: A mission of both probes.
MISSION_FILES = 5000


def read_results(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Read what was measured, by the name of the file."""
    paths = {name: folder / f"{name}.json" for name in NAMES}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.is_file()}


def written(page: Path = PAGE) -> str:
    """Give the part of the page that no one types."""
    return page.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()


def tables(results: dict[str, dict[str, Any]]) -> str:
    """Make all tables, as Markdown."""
    parts = [goal_table(results)]
    if "reading" in results:
        reading = results["reading"]
        parts += [f"### Reading and binning\n\n{reading['rounds']} rounds. {machine(reading['machine'])}"]
        parts += ["![Time a file of every way to read and bin, one core and all cores, both cadences](performance.png)"]
        parts += [reading_table(reading, product) for product in CADENCES if product in reading["sets"]]
    parts += [make(results[name]) for name, make in MAKERS.items() if name in results]
    return "\n\n".join(parts)


def goal_table(results: dict[str, dict[str, Any]]) -> str:
    """Tell for each goal what was reached."""
    rows = ["| goal | limit | reached: median (range) | kept | what holds it |", "|---|---|---|---|---|"]
    held = held_by()
    for goal in goals(results):
        limit = f"{goal.sense} {goal.limit:g} {goal.unit}".strip()
        if goal.values:
            reached = spread(goal.values) + f" {goal.unit}".rstrip() + (f" ({goal.note})" if goal.note else "")
            kept, why = ("yes", "") if goal.kept else ("**no**", held.get(goal.text, ""))
        else:
            reached, kept, why = "not measured", "", ""
        rows.append(f"| {goal.text} | {limit} | {reached} | {kept} | {why} |")
    return "### Goals\n\n" + "\n".join(rows)


def reading_table(reading: dict[str, Any], product: str) -> str:
    """Tell time and memory of every way to read and bin files of a product."""
    one = reading["sets"][product]
    number = one["files"]
    heading = (
        f"#### {CADENCES[product].capitalize()}\n\n`{product}`, {number} files of {one['bytes'] / number / 1e6:.1f} MB on the mean. "
        "Milliseconds a file: median (range)."
    )
    rows = [
        "| way | one pinned core | bound x | all cores | ringdecay is faster x | peak memory (MB) |",
        "|---|---|---|---|---|---|",
    ]
    measured = one["measured"]
    bound = seconds(measured, BOUND, ONE)
    ours = min((times for name in PARALLEL if (times := seconds(measured, name, ALL))), key=statistics.median, default=[])
    for name, more in [(name, "") for name in (BOUND, SERIAL, *PARALLEL)] + [(name, more) for name in OTHERS for more in ("", ", deflate")]:
        pinned, free = seconds(measured, name, ONE + more), seconds(measured, name, ALL + more)
        if not pinned and not free:
            continue
        peaks = [peak for where in (ONE, ALL) for peak in measured[name].get(where + more, {}).get("peak_mb", [])]
        cells = [
            name + (" (with deflate)" if more else ""),
            spread([value / number * 1e3 for value in pinned]),
            spread(ratios(pinned, bound)),
            spread([value / number * 1e3 for value in free]),
            spread(ratios(free, ours)) if name in OTHERS else "",
            f"{max(peaks):.0f}",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    left_out = [f"{name} was left out: {why}." for name, why in reading["left_out"].items()]
    return "\n\n".join([heading, "\n".join(rows), *left_out])


def fits_table(fits: dict[str, Any]) -> str:
    """Tell the time of the fits of a mission."""
    rows = ["| fits | series | workers | seconds: median (range) |", "|---|---|---|---|"]
    rows += [
        f"| {FITS.get(name, name)} | {one['series']} | {one.get('workers', 1)} | {spread(one['seconds'])} |"
        for name, one in fits["candidates"].items()
    ]
    return "### Fits\n\n" + "\n".join(rows)


def workflow_table(workflow: dict[str, Any]) -> str:
    """Tell where the time of a mission through the workflow goes."""
    said = (
        f"{workflow['files']} files ({workflow['bytes'] / 1e9:.1f} GB), {workflow['start']} to {workflow['stop']}, {workflow['storms']} "
        f"storms below {workflow['threshold']:g} nT, `snakemake --cores {workflow['cores']}`: {workflow['seconds']:.0f} s (a first fetch "
        f"of the files took {workflow['first_fetch_seconds']:.0f} s before)."
    )
    first = f"### A mission through the workflow\n\n{said} {machine(workflow['machine'])} Rules of more than a second, their jobs added up:"
    rows = ["| rule | jobs | seconds | longest job (s) | peak memory (MB) |", "|---|---|---|---|---|"]
    rows += [
        f"| {rule} | {one['jobs']} | {one['seconds']:.1f} | {one['longest_seconds']:.1f} | {one['max_rss_mb']:.0f} |"
        for rule, one in workflow["rules"].items()
        if one["seconds"] > 1
    ]
    return first + "\n\n" + "\n".join(rows)


def scaling_table(scaling: dict[str, Any]) -> str:
    """Tell how the cost grows with the number of files, and what a mission would take."""
    rows = ["| files | GB | seconds: median (range) | ms a file |", "|---|---|---|---|"]
    for number, times in scaling["seconds"].items():
        each = statistics.median(times) / int(number) * 1e3
        rows.append(f"| {number} | {scaling['bytes'][number] / 1e9:.2f} | {spread(times)} | {each:.1f} |")
    most = max(scaling["seconds"], key=int)
    mission = statistics.median(scaling["seconds"][most]) / int(most) * MISSION_FILES
    size = scaling["bytes"][most] / int(most) * MISSION_FILES
    return (
        f"### Many files by telescope\n\nRead and binned a month at a time on {scaling['workers']} processes, files in the page cache; the "
        f"largest worker took {scaling['worker_peak_mb']:.0f} MB. {machine(scaling['machine'])}\n\n" + "\n".join(rows) + "\n\n"
        f"**Extrapolated** from the last row to {MISSION_FILES} files of that size ({size / 1e9:.0f} GB, which must be read from a disk if "
        f"the memory does not hold them): {mission / 60:.1f} minutes. Real sizes are unknown until the first real file."
    )


MAKERS = {"fits": fits_table, "workflow": workflow_table, "scaling": scaling_table}


def spread(values: list[float]) -> str:
    """Median and range of some measurements, or nothing of none."""
    if not values:
        return ""
    low, middle, high = (number(value) for value in (min(values), statistics.median(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low} to {high})"


def number(value: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def machine(of: dict[str, Any]) -> str:
    """Say in a sentence what was measured on."""
    versions = ", ".join(f"{name} {value}" for name, value in of["versions"].items() if value != "not installed")
    return (
        f"{of['date']}, commit {of['commit']}, {of['processor']}, {of['cores']} cores, {of['memory_GiB']} GiB, {of['system']}; {versions}."
    )


def main() -> None:
    """Write the page and its figure."""
    from figure import draw  # noqa: PLC0415 - the test of the page needs no figure

    results = read_results()
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    if "reading" in results:
        draw(results["reading"], PAGE.with_name("performance.png"))


if __name__ == "__main__":
    main()
