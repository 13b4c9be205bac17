"""The config: checked at every level, with one sentence for each mistake, and in step with the functions it feeds."""

from __future__ import annotations

import datetime
import inspect
from itertools import pairwise

import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

import ringdecay as rd
from ringdecay.binned import Grid, exclusions
from ringdecay.config import check_config, load_schema, months, period_span, read_config, years
from ringdecay.decays import ESTIMATORS, choose_windows, flux_windows, index_windows, interrupted
from ringdecay.energy_content import energy_content
from ringdecay.errors import FileError, InputError
from ringdecay.products import PRODUCTS
from ringdecay.start_delays import start_delays
from ringdecay.storms import find_storms

LEAST = {"run": "x", "archive": "demo", "start": "2015-04-15", "stop": "2015-05-15"}
CONFIGS = sorted([*(ROOT / "config").glob("*.yaml"), ROOT / ".test/config/config.yaml"])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_of_the_repository_is_sound(path):
    config = read_config(path)
    Grid(**config["grid"])
    exclusions(config["exclude"])


def objects_of(schema, where="top"):
    if schema.get("type") == "object":
        yield where, schema
    for key, part in schema.get("properties", {}).items():
        yield from objects_of(part, key)
    if "items" in schema:
        yield from objects_of(schema["items"], f"{where}[]")


def test_the_schema_is_strict_documented_and_full_of_defaults():
    for where, schema in objects_of(load_schema()):
        assert schema["additionalProperties"] is False, where
        for key, part in schema["properties"].items():
            assert part.get("description"), f"{where}.{key}"
            assert key in schema.get("required", []) or "default" in part or where == "exclude[]", f"{where}.{key}"


def defaults_of(function) -> dict:
    return {name: p.default for name, p in inspect.signature(function).parameters.items() if p.default is not inspect.Parameter.empty}


def test_defaults_of_the_config_are_those_of_the_functions():
    config = check_config(LEAST)
    assert config["grid"] == {name: field.default for name, field in Grid.__dataclass_fields__.items()}
    functions = defaults_of(rd.fit_decays)
    # A run shows the estimators side by side; a call of one's own does so if asked.
    assert {key: functions[key] for key in config["fit"]} == config["fit"] | {"compare": False}
    assert {key: defaults_of(rd.lifetimes)[key] for key in config["lifetimes"]} == config["lifetimes"]
    windows = {key: value for key, value in config["windows"].items() if key not in ("compare_delays", "flux")}
    assert {key: defaults_of(choose_windows)[key] for key in windows} == windows
    assert all(defaults_of(interrupted)[key] == windows[key] for key in ("max_gap_days", "injection_dip"))
    assert all(defaults_of(index_windows)[key] == windows[key] for key in ("start_delay_days", "max_days"))
    detection = config["windows"]["flux"] | {"max_days": windows["max_days"], "max_gap_days": windows["max_gap_days"]}
    assert {key: defaults_of(flux_windows)[key] for key in detection} == detection
    energy = defaults_of(energy_content)
    assert (tuple(config["energy_content"]["band_edges"]), config["energy_content"]["L_range"]) == (energy["band_edges"], energy["L_range"])
    delays = defaults_of(start_delays)
    assert tuple(config["windows"]["compare_delays"]) == delays["delays"]
    assert all(delays[key] == windows[key] for key in delays if key in windows)
    storms = {key: value for key, value in config["storms"].items() if key not in ("table", "threshold")}
    assert {key: defaults_of(find_storms)[key] for key in storms} == storms
    schema = load_schema()["properties"]
    flux_products = sorted(name for name, product in PRODUCTS.items() if product.kind == "flux")
    assert sorted(schema["product"]["enum"]) == sorted(schema["exclude"]["items"]["properties"]["product"]["enum"]) == flux_products
    assert schema["fit"]["properties"]["estimator"]["enum"] == list(ESTIMATORS)
    index_products = sorted(name for name, product in PRODUCTS.items() if product.kind == "index")
    assert sorted(schema["index"]["properties"]["product"]["enum"]) == index_products


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"strat": "2015-01-01"}, r"'strat' at the top level is not a setting; did you mean 'start'\?"),
        ({"storms": {"treshold": -50}}, r"'treshold' at storms is not a setting; did you mean 'threshold'\?"),
        ({"exclude": [{"reson": "x", "source": "y"}]}, r"'reson' at exclude.0 is not a setting; did you mean 'reason'\?"),
        ({"start": "2015-06-01"}, "wrong way round"),
        ({"start": "2015-02-30"}, "not a date of the calendar"),
        ({"start": "March"}, "start is \"March\", which does not fit"),
        ({"product": "rbspice"}, "it must be one of rbspice-pap-tofxeh, .*, hope-pa, mageis-l3"),
        ({"grid": {"L_min": 6.0, "L_max": 2.0}}, "must be below grid.L_max"),
        ({"storms": {"threshold": -10.0}}, "must be below storms.quiet_level"),
        ({"index": {"name": "Dst"}}, "Dst comes from the product omni2-yearly"),
        ({"fit": {"min_points": 2}}, "fit.min_points is 2, which does not fit"),
        ({"dask": "cluster"}, "dask is"),
        ({"dask": "thread"}, "dask is"),
        ({"binning_job": "day"}, "binning_job is 'day'; it must be one of month, year"),
        ({"exclude": [{"reason": "x", "source": "y", "to": "2016-13-45"}]}, "exclude.0.to is '2016-13-45', which is not a date"),
        ({"exclude": [{"reason": "x", "source": "y", "from": "2016-02-01", "to": "2016-01-01"}]}, "exclude.0: .* wrong way round"),
        ({"exclude": [{"reason": "x", "source": "y", "L": [5, 2]}]}, "exclude.0.L .* wrong way round"),
        ({"grid": {"L_width": 0.3}}, "grid.L_width 0.3 must divide 4"),
        ({"grid": {"pitch_angle_width": 20}}, "must divide 90"),
        ({"storms": {"quiet_level": 5}}, "storms.quiet_level is 5"),
        ({"run": "example"}, 'run is "example", which does not fit.*not "example"'),
        ({"run": "a/b"}, "letters, digits, _ and -"),
        ({"grid": {"L_width": float("nan")}}, "nan is not a number that a setting can have"),
        ({"figures": {"storm": 0}}, "figures.storm is 0"),
        ({"product": "hope-pa"}, "the demonstration archive holds"),
        ({"archive": ["data", "demo"]}, '"demo" stands alone'),
        ({"archive": []}, "archive is .., which does not fit"),
        ({"archive": 5}, "archive is 5, which does not fit.* string or array"),
        ({"offline": "yes"}, "offline is"),
        ({"windows": {"source": "table"}}, "windows.table names the file"),
        ({"windows": {"table": "mine.csv"}}, "give both or neither"),
        ({"windows": {"source": "flow"}}, "it must be one of index, flux, table"),
        ({"windows": {"flux": {"rize": 1}}}, r"'rize' at windows.flux is not a setting; did you mean 'rise'\?"),
        ({"windows": {"injection_dip": -40}}, "windows.injection_dip is -40"),
        ({"energy_content": {"band_edges": [100, 50]}}, "energy_content.band_edges .* must rise"),
        ({"energy_content": {"band_edges": [0]}}, "energy_content.band_edges.0 is 0"),
        ({"energy_content": {"L_range": [5, 4]}}, "energy_content.L_range .* must rise by a bin"),
        ({"energy_content": {"L_range": [5, 5.05]}}, "energy_content.L_range .* must rise by a bin"),
        ({"energy_content": {"L_range": [3, 7]}}, "within grid.L_min and grid.L_max"),
        ({"energy_content": {"L_range": [3]}}, "energy_content.L_range is"),
        ({"lifetimes": {"probe": "both"}}, "lifetimes.probe is 'both'; it must be one of merged, joint, a, b"),
        ({"lifetimes": {"probe": "joint"}, "probes": ["a"]}, "lifetimes.probe joint needs a and b in probes"),
        ({"lifetimes": {"probe": "b"}, "probes": ["a"]}, "lifetimes.probe b needs b in probes"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_clear_sentence(change, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        check_config(LEAST | change)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(InputError, match="archive is missing at the top level"):
        check_config({key: value for key, value in LEAST.items() if key != "archive"})


def test_unquoted_dates_of_yaml_are_taken():
    assert check_config(yaml.safe_load("{run: x, archive: demo, start: 2015-04-15, stop: 2015-05-15}"))["start"] == "2015-04-15"


def test_bad_config_files_are_named(tmp_path):
    with pytest.raises(FileError, match="no file"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("run: [")
    with pytest.raises(FileError, match=r"bad\.yaml"):
        read_config(tmp_path / "bad.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(FileError, match="keys and values"):
        read_config(tmp_path / "list.yaml")


@pytest.mark.parametrize("names", [months, years])
@given(start=st.dates(datetime.date(2000, 1, 1), datetime.date(2030, 1, 1)), days=st.integers(1, 3000))
@settings(deadline=None)
def test_months_and_years_cover_a_span_day_by_day(names, start, days):
    first, stop = start.isoformat(), (start + datetime.timedelta(days=days)).isoformat()
    spans = [period_span(name, first, stop) for name in names(first, stop)]
    assert spans[0][0] == first
    assert spans[-1][1] == stop
    assert all(a < b for a, b in spans)
    assert all(one[1] == other[0] for one, other in pairwise(spans))


def test_the_page_of_the_config_lists_every_setting():
    text = (ROOT / "config/README.md").read_text()
    for where, schema in objects_of(load_schema()):
        for key, part in schema["properties"].items():
            assert part.get("type") == "object" or f"`{key}`" in text or f".{key}`" in text, f"{where}.{key}"
