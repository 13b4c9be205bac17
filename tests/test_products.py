"""Descriptions of products against NASA's own records of them, and against file names that were published."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from math import prod

import pytest
import yaml
from click.testing import CliRunner
from conftest import ROOT
from product_page import PAGE, page

from ringdecay.archive.versions import version_key
from ringdecay.cli import main
from ringdecay.flux.units import factor_of
from ringdecay.products import FLUX_PRODUCTS, ION_NAMES, PRODUCTS, get_product

FLUX = [PRODUCTS[name] for name in FLUX_PRODUCTS]
RBSPICE = [product for product in FLUX if product.name.startswith("rbspice")]
AT_SPDF = "https://spdf.gsfc.nasa.gov/pub/data/"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.fixture(scope="module")
def records(shared_data):
    """Rows of NASA's records by data set, each by the variable's name."""
    found = defaultdict(dict)
    with (shared_data / "spase_metadata/parameters_all.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found[row["dataset_id"]][row["parameter_key"]] = row
    return found


def datasets(product, probe):
    """Names of the product's data sets for a probe: one, or one for each energy table."""
    own = [table.dataset for table in product.energy_tables if table.dataset]
    return [name.format(PROBE=probe.upper()) for name in dict.fromkeys([*own, product.dataset])]


@pytest.mark.parametrize("product", FLUX, ids=lambda product: product.name)
def test_nasas_records_have_the_data_sets_with_their_spans_and_places(records, product):
    for probe in product.probes:
        rows = [next(iter(records[name].values())) for name in datasets(product, probe)]
        starts, stops = ([re.sub(r"(\.000)?Z$", "", row[key]) for row in rows] for key in ("start", "stop"))
        assert product.span[probe] == (min(starts), max(stops))
        for row in rows:
            assert row["spdf_url"] == AT_SPDF + product.directory.removesuffix("{year}").format(probe=probe)


@pytest.mark.parametrize("product", FLUX, ids=lambda product: product.name)
def test_nasas_records_have_the_variables_with_their_sizes_units_and_fills(records, product):
    for probe in product.probes:
        for name in datasets(product, probe):
            of_table = [len(table.energies) for table in product.energy_tables if table.dataset.format(PROBE=probe.upper()) == name]
            sizes = {**product.sizes, "energy": of_table[0]} if of_table else product.sizes
            for variable in product.variables.values():
                row = records[name][variable.name]
                where = f"{name} {variable.name}"
                assert prod(map(int, row["size"].split())) == prod(sizes[axis] for axis in variable.axes), where
                # In the same order, too.
                assert row["size"].split() == [str(sizes[axis]) for axis in variable.axes], where
                if row["units"] or variable.quantity in ("flux", "energy"):
                    assert factor_of(variable.quantity, row["units"]) is not None, where
                if variable.quantity != "time" and row["fill"]:
                    assert variable.fill == float(row["fill"]), where


def column(row, which):
    """Give the bin centres that a record prints of an axis."""
    found = re.search(rf"Column {which} Labels from \w+: \[([-+.\de, ]+)\]", row["description"])
    return None if found is None else [float(value) for value in found[1].split(",")]


@pytest.mark.parametrize("product", [p for p in FLUX if "pitch_angle" in p.sizes], ids=lambda product: product.name)
def test_energies_are_the_bin_centres_of_nasas_records(records, product):
    for probe in product.probes:
        compared = 0
        for name in datasets(product, probe):
            tables = [t for t in product.energy_tables if (t.dataset or product.dataset).format(PROBE=probe.upper()) == name]
            printed = column(records[name][product.variables["flux"].name], 1)
            for table in tables:
                if "inference" in table.source:
                    # The record contradicts itself; this table rests on its text.
                    assert re.search(r"0\.14 MeV to 1\.1 MeV", records[name]["FODU"]["description"])
                    continue
                assert [energy / 1000 for energy in table.energies] == pytest.approx(printed, rel=1e-9)
                compared += 1
        assert compared == len([t for t in product.energy_tables if "inference" not in t.source])


def test_pitch_angles_of_the_combined_telescopes_are_those_of_pap(records):
    from ringdecay.flux.telescopes import CENTRES  # noqa: PLC0415

    row = records["RBSP-A-RBSPICE_LEV-3-PAP_TOFXEH"]["FPDU"]
    assert CENTRES.tolist() == column(row, 2)


def test_channels_of_mixed_arrays_follow_from_what_the_records_say(records):
    text = records["RBSP-A-RBSPICE_LEV-3_TOFXPHHHELT"]["FPDU"]["caveats"]
    assert "last 20 channels" in text
    assert "11 channels and last channel have values of a default value" in text
    low, high = PRODUCTS["rbspice-tofxphhhelt"].channels
    assert (low, high - low, 32 - high) == (11, 20, 1)
    assert len(PRODUCTS["rbspice-tofxphhhelt"].energy_tables[0].energies) == 20
    text = records["RBSP-A-RBSPICE_LEV-3_TOFXPHHLEHT"]["FPDU"]["caveats"]
    assert "last 7 channels" in text
    low, high = PRODUCTS["rbspice-tofxphhleht"].channels
    assert (low, high) == (3, 10)
    assert "first 9" in records["RBSP-A-RBSPICE_LEV-3_TOFXENONH"]["FHeDU"]["caveats"]
    assert PRODUCTS["rbspice-tofxenonh-he"].energy_tables[0].channels == (0, 9)
    for name in ("rbspice-tofxphhhelt", "rbspice-tofxphhleht", "rbspice-tofxenonh-he", "rbspice-tofxenonh-o"):
        product = PRODUCTS[name]
        for table in product.energy_tables:
            low, high = table.channels or product.channels or (0, len(table.energies))
            assert high - low == len(table.energies)
            assert high <= product.sizes["energy"]


def test_the_xml_says_what_the_table_made_of_it_says(shared_data):
    # The table is a flattened copy; one record is compared with its origin, so that an error of the copy cannot hide.
    root = ET.parse(shared_data / "spase_metadata/RBSP/A/RBSPICE/L3/PAP/TOFXEH/PT10.9S.xml").getroot()
    space = {"s": "http://www.spase-group.org/data/schema"}
    keys = {parameter.findtext("s:ParameterKey", namespaces=space): parameter for parameter in root.iter(f"{{{space['s']}}}Parameter")}
    product = PRODUCTS["rbspice-pap-tofxeh"]
    for variable in product.variables.values():
        size = keys[variable.name].findtext("s:Structure/s:Size", default="", namespaces=space)
        assert size.split() == [str(product.sizes[axis]) for axis in variable.axes]
    products_of = [element.text for element in root.iter(f"{{{space['s']}}}ProductKey")]
    assert product.dataset.format(PROBE="A") in products_of


# Published names: reference list of SPDF's directories, of the HAPI metadata, and of the team's own site.
NAMES = [
    ("rbspice-tofxeh", "a", "rbsp-a-rbspice_lev-3_tofxeh_20130126_v1.1.12-01.cdf", "20130126", "1.1.12-01"),
    ("rbspice-pap-tofxeh", "a", "rbsp-a-rbspice_lev-3-pap_tofxeh_20130126_v1.2.4-03.cdf", "20130126", "1.2.4-03"),
    ("rbspice-pap-tofxeh", "a", "rbsp-a-rbspice_lev-3-PAP_TOFxEH_20130126_v1.1.2-00.cdf", "20130126", "1.1.2-00"),
    ("rbspice-tofxeh", "b", "rbsp-b-rbspice_lev-3_TOFxEH_20150317_v1.1.12-07.cdf", "20150317", "1.1.12-07"),
    ("rbspice-tofxenonh-he", "b", "rbsp-b-rbspice_lev-3_TOFxEnonH_20150317_v1.1.12-07.cdf", "20150317", "1.1.12-07"),
    ("rbspice-tofxenonh-o", "b", "rbsp-b-rbspice_lev-3_TOFxEnonH_20150317_v1.1.12-07.cdf", "20150317", "1.1.12-07"),
    ("hope-pa", "a", "rbspa_rel04_ect-hope-pa-l3_20121201_v7.4.0.cdf", "20121201", "7.4.0"),
    ("hope-pa", "a", "rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf", "20121201", "0.0.0"),
    ("mageis-l3", "b", "rbspb_rel04_ect-mageis-L3_20150317_v8.1.0.cdf", "20150317", "8.1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "probe", "file", "date", "version"), NAMES)
def test_published_file_names_are_known(name, probe, file, date, version):
    match = re.fullmatch(PRODUCTS[name].filename.format(probe=probe), file, flags=re.IGNORECASE)
    assert match
    assert (match["date"], match["version"]) == (date, version)
    other = "a" if probe == "b" else "b"
    assert not re.fullmatch(PRODUCTS[name].filename.format(probe=other), file, flags=re.IGNORECASE)


def test_no_product_takes_the_files_of_another():
    # The two ions of TOFxEnonH are in the same files, of course.
    for name, probe, file, _, _ in NAMES:
        takers = {other.name for other in FLUX if re.fullmatch(other.filename.format(probe=probe), file, flags=re.IGNORECASE)}
        assert name in takers
        assert takers <= {name, "rbspice-tofxenonh-he", "rbspice-tofxenonh-o"}
    everything = [("rbsp-b-rbspice_lev-3-pap_tofxeion_20121029_v1.1.1-00.cdf", "b"), ("rbsp-a-rbspice_lev-3_tofxeion_20121029_v1.cdf", "a")]
    for file, probe in everything:
        assert not any(re.fullmatch(other.filename.format(probe=probe), file, flags=re.IGNORECASE) for other in FLUX)


def test_versions_sort_as_numbers():
    in_order = ["1.1.2-00", "1.1.9-00", "1.1.12-00", "1.1.12-01", "1.1.12-07", "1.1.12-10", "1.2.4-03"]
    assert sorted(sorted(in_order), key=version_key) == in_order
    assert sorted(in_order) != in_order


@pytest.mark.parametrize("product", FLUX, ids=lambda product: product.name)
def test_a_description_is_whole(product):
    assert product.ion in ION_NAMES
    assert product.caveats
    assert all(caveat.text and caveat.source for caveat in product.caveats)
    assert all(table.source for table in product.energy_tables)
    assert set(product.span) == set(product.probes)
    for role in ("time", "flux", "energy", "pitch_angle"):
        assert product.variables[role].required
    for variable in product.variables.values():
        assert set(variable.axes) <= set(product.sizes)
    names = [variable.name for variable in product.variables.values()]
    assert len(set(names)) == len(names)
    if product.name.startswith("rbspice"):
        assert product.good_quality == (10,)
        assert product.variables["quality"].required
        assert product.time_is == "start"
    assert ION_NAMES[product.ion] in product.title


def test_energy_tables_follow_one_another_in_time():
    for product in FLUX:
        changes = {table.start for table in product.energy_tables if table.start}
        assert changes == {table.stop for table in product.energy_tables if table.stop}
        assert len(product.energy_tables) <= 1 or changes == {"2015-01-14T23:45:00"}


def test_config_schema_and_command_line_know_all_flux_products():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())["properties"]
    assert tuple(schema["product"]["enum"]) == FLUX_PRODUCTS
    assert tuple(schema["exclude"]["items"]["properties"]["product"]["enum"]) == FLUX_PRODUCTS
    row = next(line for line in (ROOT / "config/README.md").read_text().splitlines() if line.startswith("| `product`"))
    assert all(name in row for name in FLUX_PRODUCTS)
    for command, names in (("bin", FLUX_PRODUCTS), ("fetch", tuple(PRODUCTS))):
        words = CliRunner().invoke(main, [command, "--help"], terminal_width=1000).output
        assert all(re.search(rf"(?<![\w-]){name}(?![\w-])", words) for name in names), command


def test_only_one_product_is_simulated():
    from ringdecay.simulate.truth import PRODUCT  # noqa: PLC0415

    assert PRODUCT == "rbspice-pap-tofxeh"
    assert get_product(PRODUCT).sizes["energy"] == 14


def test_the_page_of_products_says_what_the_descriptions_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python tests/product_page.py"
