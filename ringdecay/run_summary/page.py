"""The page of a run: what `summarise` found, in words and tables, with links to everything else of the run."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:62em;padding:0 1em;color:#1a1a1a}"
    "table{border-collapse:collapse;margin:.5em 0}td,th{padding:.2em .9em .2em 0;text-align:left;border-bottom:1px solid #ddd;"
    "vertical-align:top}td.n,th.n{text-align:right}.wide{overflow-x:auto}h1{margin-bottom:.2em}h2{margin-top:1.6em;font-size:1.15em}"
    "code{font-size:.92em;overflow-wrap:anywhere}strong.mark{color:#b22222}small,.beside{color:#555}"
    # In the report the page is shown without the folder that its links lead to.
    ".inside a{color:inherit;text-decoration:none;pointer-events:none}.only-inside{display:none}.inside .only-inside{display:block}"
)
_SCRIPT = "<script>if(location.protocol==='data:')document.documentElement.classList.add('inside')</script>"

# File -> what it is called; those that the run has not made are not named.
_FIRST = {
    "explorer.html": "the explorer: every decay time, fit and storm to look into",
    "figures/lifetime_map.png": "the map of decay times",
    "lifetimes.csv": "the decay times as a table",
    "coverage.html": "which days were there, used and refused",
    "provenance.json": "what went in: software, settings, content hashes",
    "inputs.tsv": "every input file with its SHA-256",
}
_KINDS = {"tables": (".csv", ".tsv", ".tex"), "netCDF": (".nc",), "pages": (".html",), "records": (".json",), "figures": (".png", ".svg")}
_WINDOW_FLAGS = {
    "no_window": "have no window after the storm",
    "too_few_points": "have too few time bins",
    "floor_reached": "end early, at the floor of the instrument",
    "new_injection": "end early, where the index falls again",
    "data_gap": "end early, at a gap in the data",
    "probe_handover": "end early, where a probe comes or goes",
    "curved": "bend",
    "two_stages": "have two stages",
}


def summary_page(found: Mapping[str, Any], config: Mapping[str, Any], files: Sequence[str]) -> str:
    """Make the page of a run.

    Parameters
    ----------
    found : mapping
        From `summarise`.
    config : mapping
        The run's config with its defaults.
    files : sequence of str
        The run's results as paths below its folder, where the page will be; links lead to them.

    Returns
    -------
    str
        HTML that needs nothing else.
    """
    title = f"Run {found['run']}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _lead(found, config),
        _links({name: words for name, words in _FIRST.items() if name in files}),
        "<h2>What was found</h2>",
        _list(_findings(found)),
        _decay_times(found),
        _theory(found),
        _energy(found),
        _truth(found),
        "<h2>What was done</h2>",
        _table(("", "setting", "value"), _settings(config)),
        "<h2>What was there, and what was refused</h2>",
        _coverage(found),
        _refused(found),
        f"<h2>Of {found['fits']['cells']:,} fits asked for</h2>",
        _list(f"{count:,} {_WINDOW_FLAGS[name]}" for name, count in found["fits"]["flags"].items() if count),
        "<h2>What went in</h2>",
        _table(("", "value"), _provenance(found)),
        "<h2>All files</h2>",
        _all_files(files),
    ]
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{_SCRIPT}</head><body>{''.join(parts)}</body></html>\n"
    )


def _lead(found: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    probes = " and ".join(config["probes"])
    text = (
        f"Decay times of the {found['ion']} flux ({config['product']}), Van Allen Probe{'s' * (len(config['probes']) > 1)} {probes}, "
        f"from {config['start']} up to {config['stop']} (the day after the last)."
    )
    mark = "<strong class='mark'>SIMULATED.</strong> The archive has known decay times; nothing here is a measurement.</p><p>"
    return f"<p>{mark if found['simulated'] else ''}{html.escape(text)}</p>"


def _links(files: Mapping[str, str]) -> str:
    lines = _list(f"{_link(name)}: {html.escape(words)}" for name, words in files.items())
    return f"{lines}<p class='only-inside beside'>These are links in summary.html itself, which lies beside the report.</p>"


def _findings(found: Mapping[str, Any]) -> list[str]:
    storms, fits, cells = found["storms"], found["fits"], found["cells"]
    classes = ", ".join(f"{count} {name}" for name, count in storms["classes"].items())
    depth = "" if storms["deepest"] is None else f"; the deepest reached {_minus(storms['deepest'])} nT"
    whose = {"merged": "both probes added", "joint": "both probes fitted jointly"}.get(fits["probe"], f"probe {fits['probe']}")
    in_storms = f" ({html.escape(classes)}){depth}; {storms['with_fits']} have fits" if storms["number"] else ""
    of_fits = (
        f"<b>{fits['made']:,} fits</b> ({html.escape(whose)}): the decay is resolved in {fits['resolved']:,}, {fits['limits']:,} give only "
        f"a limit, in {fits['growing']:,} the flux grows"
    )
    if found["mode"] == "paper":
        of_fits = f"<b>{fits['accepted']:,} of {fits['made']:,} fits accepted</b> ({html.escape(whose)})"
    of_cells = (
        f"<b>{cells['decay_times']} decay times</b> in {cells['all']} cells of energy and L; {cells['limits']} more have a one-sided "
        f"limit, in {cells['growing']} the flux grows, {cells['all'] - cells['with_fits']} have no fit"
    )
    lines = [f"<b>{_storms(storms['number'])}</b>{in_storms}", of_fits, of_cells]
    cautions = [
        f"{cells['single_storm']} cells have a single storm" if cells["single_storm"] else "",
        f"{cells['storms_lost_to_floor']} lost storms of fast decay to the floor of the instrument"
        if cells["storms_lost_to_floor"]
        else "",
    ]
    if any(cautions):
        lines.append(f"With caution: {', '.join(words for words in cautions if words)}")
    if "discovered" in cells:
        lines.append(f"In {cells['discovered']} cells the decay is a discovery over the whole map (<code>q_value</code>)")
    lines.append(f"The smooth surface is stated {html.escape(found['surface']['range'])}")
    return lines


def _storms(number: int) -> str:
    return f"{number} storm{'s' if number != 1 else ''}"


def _decay_times(found: Mapping[str, Any]) -> str:
    times = found["decay_times"]
    shells = sorted({one["L"] for one in times})
    energies = sorted({one["energy"] for one in times})
    words = {(one["energy"], one["L"]): f"{one['text'] or '-'} <small>{_storms(one['n_storms'])}</small>" for one in times}
    rows = [[f"{energy:g} keV", *(words[energy, shell] for shell in shells)] for energy in energies]
    interval = (
        "standard deviation of the accepted fits" if found["mode"] == "paper" else f"{_percent(found)} intervals, or one-sided limits"
    )
    heading = f"<h2>Decay times (days; {interval})</h2>"
    return heading + _table(("", *(f"L = {shell:g}" for shell in shells)), rows, plain=False)


def _theory(found: Mapping[str, Any]) -> str:
    verdicts, factors = found["theory"]["verdicts"], found["theory"]["factors"]
    if not any(verdicts.values()):
        return ""
    total = sum(verdicts.values())
    words = {
        "agrees": "agree with charge exchange and Coulomb drag",
        "faster": "are faster",
        "slower": "are slower",
        "cannot_tell": "cannot tell",
        "no_prediction": "have no prediction",
    }
    said = ", ".join(f"{verdicts[name]} {word}" for name, word in words.items() if verdicts.get(name))
    lines = [f"Of {total} mean rates {said}."]
    if found["simulated"]:
        lines.append("The decay times of the simulated archive were made up, not taken from theory: this says nothing of nature.")
    if factors.get("a") is not None:
        intervals = [
            f"{name} = {factors[name]:.2f}"
            + (f" ({factors[f'{name}_low']:.2f} to {factors[f'{name}_high']:.2f})" if factors.get(f"{name}_low") is not None else "")
            for name in ("a", "b")
            if factors.get(name) is not None
        ]
        lines.append(f"Fitted to all storms, rate = a (charge exchange) + b (Coulomb drag): {', '.join(intervals)}.")
    return f"<h2>Beside theory</h2>{_list(map(html.escape, lines))}"


def _energy(found: Mapping[str, Any]) -> str:
    names = {"index_recovery": "recovery of the index", "flux_decay": "flux decay", "energy_content": "energy of the measured ions"}
    rows = [
        (names.get(one["window"], one["window"]), names.get(one["quantity"], one["quantity"]), one["text"] or "-", one["n_storms"])
        for one in found["energy"]
    ]
    head = ("after a storm, during", "of", "e-folding time (days)", "storms")
    return "<h2>Energy of the ring current, and the index</h2>" + _table(head, rows) if rows else ""


def _truth(found: Mapping[str, Any]) -> str:
    truth = found["truth"]
    if not truth:
        return ""
    return (
        f"<h2>Against the truth of the simulation</h2><p>{truth['intervals_held']} of {truth['intervals']} intervals of the mean "
        f"hold the true rate, and {truth['limits_held']} of {truth['limits']} limits are below the true decay time. Cells share their "
        "storms, so that they are right or wrong together: one run is one draw. How often intervals hold is measured over many draws, in "
        "<code>docs/validation.md</code>.</p>"
    )


def _settings(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    storms, windows, fit, grid = config["storms"], config["windows"], config["fit"], config["grid"]
    if storms["table"]:
        rows = [("storms", "storms.table", storms["table"])]
    else:
        rows = [
            (f"a storm reaches ({config['index']['name']})", "storms.threshold", f"{_minus(storms['threshold'])} nT"),
            ("and lies between crossings of", "storms.quiet_level", f"{_minus(storms['quiet_level'])} nT"),
        ]
    angle = config["flux"]["equatorial_pitch_angle"]
    rows += [
        ("bins", "grid", f"{grid['time_bin_hours']:g} h, {grid['L_width']:g} in {grid['L_definition']}"),
        (
            "flux",
            "flux",
            f"omnidirectional, within {grid['max_MLAT']:g}° of the equator" if angle is None else f"at {angle:g}° of equatorial pitch",
        ),
        ("windows from", "windows.source", windows["source"]),
        ("a fit begins after the last minimum", "windows.start_delay_days", f"{windows['start_delay_days']:g} days"),
        ("and is no longer than", "windows.max_days", f"{windows['max_days']:g} days"),
        ("it has at least", "fit.min_points", f"{fit['min_points']} time bins"),
        ("mode", "fit.mode", fit["mode"]),
        ("estimator", "fit.estimator", fit["estimator"] if fit["mode"] == "calibrated" else "ols"),
        ("floor", "fit.floor", str(fit["floor"])),
        ("averaged over storms", "lifetimes.probe", config["lifetimes"]["probe"]),
        ("confidence", "fit.confidence", f"{100 * fit['confidence']:g} %"),
    ]
    if fit["mode"] == "paper":
        rows.append(("a fit is accepted with a correlation of", "fit.r_max", f"{_minus(fit['r_max'])} or less"))
    return rows


def _coverage(found: Mapping[str, Any]) -> str:
    head = ("product", "probe", "days", "used or known", "refused", "without a file", "files", "MB", "records used")
    names = ("product", "probe", "days", "used", "refused", "no_file", "files", "megabytes", "records_used")
    rows = [["-" if one[name] in (None, "") else one[name] for name in names] for one in found["coverage"]]
    return _table(head, rows)


def _refused(found: Mapping[str, Any]) -> str:
    files = found["files"]
    if not files["refused"]:
        return "<p>No file was refused.</p>"
    lines = [f"<code>{html.escape(one['file'])}</code>: {html.escape(one['reason'])}" for one in files["reasons"]]
    if files["refused"] > len(lines):
        lines.append(f"and {files['refused'] - len(lines)} more, in <code>files.csv</code>")
    return f"<p>{files['refused']} files were refused:</p>{_list(lines)}"


def _provenance(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    inputs = found["inputs"]
    return [
        ("input files", f"{inputs['files']:,}, {inputs['bytes'] / 1e6:,.1f} MB"),
        ("SHA-256 of all inputs", inputs["sha256_of_all"]),
        ("fingerprint of the source", found["source_fingerprint"]),
        ("commit", found["git_commit"] or "not a clone"),
        ("software", ", ".join(f"{name} {version}" for name, version in found["versions"].items())),
        *((f"content hash of {name}", value) for name, value in found["content_hash"].items()),
        ("made", found["date_created"]),
    ]


def _all_files(files: Sequence[str]) -> str:
    rows = [
        (kind, " ".join(_link(name) for name in files if name.endswith(endings)))
        for kind, endings in _KINDS.items()
        if any(name.endswith(endings) for name in files)
    ]
    return _table(("", "files"), rows, plain=False)


def _link(name: str) -> str:
    return f"<a href='{html.escape(name)}'>{html.escape(name)}</a>"


def _percent(found: Mapping[str, Any]) -> str:
    return f"{100 * found['confidence']:g} %"


def _minus(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else "<p>None.</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], *, plain: bool = True) -> str:
    """Make a table; numbers stand to the right. Unless its cells are plain text, they are HTML already."""

    def cell(value: object) -> str:
        number = isinstance(value, int | float)
        text = f"{value:,}" if number else str(value)
        return f"<td{' class=n' if number else ''}>{html.escape(text) if plain else text}</td>"

    lines = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<div class='wide'><table><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr>{lines}</table></div>"
