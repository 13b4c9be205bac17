"""The config file: read, checked against its schema, defaults filled in.

Only what Snakemake itself brings is imported, because the workflow is read where the package's other dependencies may not be installed.
"""

from __future__ import annotations

import copy
import datetime
import difflib
import itertools
import json
import math
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from ringdecay.errors import FileError, InputError

# The loader in C, where PyYAML was built with it, is ten times as quick.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMA = Path(__file__).parents[1] / "workflow" / "schemas" / "config.schema.yaml"


def load_schema(path: str | PathLike[str] = SCHEMA) -> dict[str, Any]:
    """Read the JSON schema of the config.

    Raises
    ------
    FileError
        If it is not there: it lies in the repository, not in the installed package.
    """
    if not Path(path).is_file():
        raise FileError(path, "the schema of the config", "no file", "run from a clone of the repository")
    schema: dict[str, Any] = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_LOADER)
    return schema


def read_config(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a config file, check it and fill in the defaults.

    Raises
    ------
    FileError
        If there is no such file or it is not YAML with keys.
    InputError
        If a key is unknown or a value does not fit.
    """
    source = Path(path)
    if not source.is_file():
        raise FileError(source, "a config file", "no file", "check the path; config/ has examples")
    try:
        given = yaml.load(source.read_text(encoding="utf-8"), Loader=_LOADER)
    except yaml.YAMLError as error:
        raise FileError(source, "YAML", f"a mistake in it ({' '.join(str(error).split())})", "mend the file") from error
    if not isinstance(given, dict):
        raise FileError(source, "keys and values", f"{type(given).__name__}", "see config/README.md")
    return check_config(given)


def check_config(given: dict[str, Any], schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Check a config against the schema and return it with every default filled in.

    Raises
    ------
    InputError
        All faults found, each a sentence that names the key.
    """
    import jsonschema  # noqa: PLC0415 - half of the package's other users never read a config

    schema = schema or load_schema()
    config: dict[str, Any] = _with_defaults(_plain(given), schema)
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(config), key=lambda error: list(map(str, error.path)))
    sentences = [_sentence(error) for error in errors]
    if not errors:
        sentences = _check_sense(config)
    if sentences:
        raise InputError("config: " + " ".join(sentences))
    return config


def _plain(value: Any) -> Any:
    """Undo YAML's own idea of types: an unquoted 2015-03-10 is a date there."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        # No setting has a use for them, and a comparison with one says nothing.
        raise InputError(f"config: {value} is not a number that a setting can have")
    return value


def _with_defaults(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, dict) and "properties" in schema:
        filled = dict(value)
        for key, part in schema["properties"].items():
            if key not in filled and "default" in part:
                filled[key] = copy.deepcopy(part["default"])
            if key in filled:
                filled[key] = _with_defaults(filled[key], part)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [_with_defaults(item, schema["items"]) for item in value]
    return value


def _sentence(error: Any) -> str:
    where = ".".join(map(str, error.absolute_path)) or "the top level"
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        extra = sorted(set(error.instance) - set(known))
        near = difflib.get_close_matches(str(extra[0]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
        return f"{', '.join(map(repr, extra))} at {where} is not a setting; {hint}"
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"{', '.join(missing)} is missing at {where}."
    if error.validator == "enum":
        return f"{where} is {error.instance!r}; it must be one of {', '.join(map(str, error.validator_value))}."
    rule = "" if error.validator in ("type", "pattern", "format") else f" ({error.validator} {error.validator_value})"
    description = str(error.schema.get("description", "")).rstrip(".")
    kind = error.schema.get("type", "")
    expected = f" It should be {kind if isinstance(kind, str) else ' or '.join(kind)}{rule}" if kind else rule
    meaning = f": {description}" if description else ""
    return f"{where} is {json.dumps(error.instance, ensure_ascii=False)}, which does not fit.{expected}{meaning}."


def _check_sense(config: dict[str, Any]) -> list[str]:
    """Find what a schema cannot: dates that do not exist or are the wrong way round, ranges likewise."""
    wrong = []
    dates = {}
    for key in ("start", "stop"):
        try:
            dates[key] = datetime.date.fromisoformat(config[key])
        except ValueError:
            wrong.append(f"{key} is {config[key]!r}, which is not a date of the calendar (YYYY-MM-DD).")
    if len(dates) == 2 and dates["start"] >= dates["stop"]:
        wrong.append(f"start {config['start']} and stop {config['stop']} are the wrong way round (stop is the day after the last).")
    if config["grid"]["L_min"] >= config["grid"]["L_max"]:
        wrong.append(f"grid.L_min {config['grid']['L_min']} must be below grid.L_max {config['grid']['L_max']}.")
    grid = config["grid"]
    for width, span in (("L_width", grid["L_max"] - grid["L_min"]), ("pitch_angle_width", 90.0)):
        parts = span / grid[width]
        if abs(parts - round(parts)) > 1e-9 * max(parts, 1.0) or round(parts) < 1:
            wrong.append(f"grid.{width} {grid[width]} must divide {span:g}.")
    if (config["windows"]["source"] == "table") != (config["windows"]["table"] is not None):
        wrong.append('windows.table names the file for windows.source "table"; give both or neither.')
    probe = config["lifetimes"]["probe"]
    needed = {"merged": [], "joint": ["a", "b"]}.get(probe, [probe])
    if not set(needed) <= set(config["probes"]):
        wrong.append(f"lifetimes.probe {probe} needs {' and '.join(needed)} in probes.")
    for i, rule in enumerate(config["exclude"]):
        wrong += _check_exclusion(f"exclude.{i}", rule)
    bands, shells = config["energy_content"]["band_edges"], config["energy_content"]["L_range"]
    if any(low >= high for low, high in itertools.pairwise(bands)):
        wrong.append(f"energy_content.band_edges {bands} must rise.")
    if shells and not grid["L_min"] <= shells[0] < shells[0] + grid["L_width"] <= shells[1] + 1e-9 <= grid["L_max"] + 2e-9:
        wrong.append(f"energy_content.L_range {shells} must rise by a bin at least and lie within grid.L_min and grid.L_max.")
    if config["archive"] == "demo" and (config["product"] != "rbspice-pap-tofxeh" or config["index"]["product"] == "omni-hro-1min"):
        wrong.append("the demonstration archive holds rbspice-pap-tofxeh, omni-hro-5min and omni2-yearly only.")
    if isinstance(config["archive"], list) and "demo" in config["archive"]:
        wrong.append('archive: "demo" stands alone, not in a list.')
    if config["storms"]["threshold"] >= config["storms"]["quiet_level"]:
        wrong.append(
            f"storms.threshold {config['storms']['threshold']} must be below storms.quiet_level {config['storms']['quiet_level']} (nT)."
        )
    if (config["index"]["name"] == "Dst") != (config["index"]["product"] == "omni2-yearly") and not config["index"]["files"]:
        wrong.append("index: Dst comes from the product omni2-yearly, SYM-H from omni-hro-5min or omni-hro-1min.")
    return wrong


def _check_exclusion(where: str, rule: dict[str, Any]) -> list[str]:
    ranges = [key for key in ("energy", "L") if key in rule and rule[key][0] > rule[key][1]]
    wrong = [f"{where}.{key} {rule[key]} is the wrong way round." for key in ranges]
    times: list[datetime.datetime] = []
    for key in ("from", "to"):
        try:
            if key in rule:
                when = datetime.datetime.fromisoformat(rule[key])
                # Without a zone a time is UTC.
                times.append(when if when.tzinfo else when.replace(tzinfo=datetime.UTC))
        except ValueError:
            wrong.append(f"{where}.{key} is {rule[key]!r}, which is not a date of the calendar.")
    if len(times) == 2 and times[0] >= times[1]:
        wrong.append(f"{where}: from {rule['from']} to {rule['to']} is the wrong way round.")
    return wrong


def months(start: str, stop: str) -> list[str]:
    """Months, as YYYYMM, that a span of days touches; `stop` is the day after the last."""
    first, last = datetime.date.fromisoformat(start), datetime.date.fromisoformat(stop) - datetime.timedelta(days=1)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [f"{first.year + (first.month - 1 + i) // 12}{(first.month - 1 + i) % 12 + 1:02d}" for i in range(count)]


def years(start: str, stop: str) -> list[str]:
    """Years, as YYYY, that a span of days touches; `stop` is the day after the last."""
    return sorted({month[:4] for month in months(start, stop)})


def period_span(period: str, start: str, stop: str) -> tuple[str, str]:
    """First day of a month (YYYYMM) or year (YYYY) within a span, and the day after its last."""
    begin = datetime.date(int(period[:4]), int(period[4:] or 1), 1)
    end = (begin + datetime.timedelta(days=32 if period[4:] else 366)).replace(day=1)
    return max(begin.isoformat(), start), min(end.isoformat(), stop)
