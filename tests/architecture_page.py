"""The picture and the tables of docs/architecture.md; `python tests/architecture_page.py` makes them as the code is now."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from page_parts import table, with_part
from test_structure import LAYERS, MODULES, PACKAGE, room_of, rooms_imported

ROOT = PACKAGE.parent
PAGE = ROOT / "docs/architecture.md"
PICTURE = ROOT / "docs/stages.svg"

# Room (or rooms) -> column, row, public functions, what comes out. The order of rows is that of the data.
STAGES: dict[str, tuple[int, int, tuple[str, ...], str]] = {
    "simulate": (0, 0, ("archive",), "demonstration archive"),
    "archive": (1, 0, ("fetch",), "files, inputs.tsv"),
    "indices": (0, 1, ("open_index",), "index.nc"),
    "flux": (1, 1, ("open_flux",), "(in memory)"),
    "storms": (0, 2, ("find_storms",), "storms.csv"),
    "binned": (1, 2, ("bin_flux", "merge_binned"), "binned.nc"),
    "energy_content": (2, 3, ("energy_content",), "energy_content.nc"),
    "decays": (1, 3, ("choose_windows", "fit_decays"), "decays.nc"),
    "theory": (0, 4, ("loss_rate",), "(in memory)"),
    "lifetime": (1, 4, ("lifetimes",), "lifetimes.nc"),
    "surface": (2, 4, ("fit_surface", "tau"), "surface.nc"),
    "beside_theory": (0, 5, ("compare_with_theory",), "theory.nc"),
    "plots": (1, 5, ("save",), "figures/"),
    "tables": (2, 5, ("write_csv",), "lifetimes.csv"),
}
ARROWS = [
    ("simulate", "archive"), ("archive", "flux"), ("archive", "indices"), ("indices", "storms"), ("flux", "binned"), ("storms", "decays"),
    ("binned", "decays"), ("binned", "energy_content"), ("decays", "lifetime"), ("decays", "surface"), ("theory", "beside_theory"),
    ("lifetime", "beside_theory"), ("lifetime", "plots"), ("lifetime", "tables"),
]  # fmt: skip
# What scripts call to read, to write and to say where they ran.
_EVERYWHERE = re.compile(r"^(logs|store|errors|provenance|schedule)\b|\.(read_|write_(?!coverage)|csv_|save$)|_header$|\.[A-Z_]+$")
WIDE, HIGH, ACROSS, DOWN, EDGE = 216, 84, 250, 122, 12


def picture() -> str:
    """Draw the stages; the ground is opaque, so that the picture is readable on a dark page, too."""
    width, height = 2 * ACROSS + WIDE + 2 * EDGE, 5 * DOWN + HIGH + 2 * EDGE
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" text-anchor="middle">',
        "<title>The stages of ringdecay</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>',
    ]
    parts += [_arrow(STAGES[one], STAGES[other]) for one, other in ARROWS]
    parts += [_box(room, *stage) for room, stage in STAGES.items()]
    return "\n".join([*parts, "</svg>", ""])


def _corner(column: int, row: int) -> tuple[int, int]:
    return EDGE + column * ACROSS, EDGE + row * DOWN


def _box(room: str, column: int, row: int, functions: tuple[str, ...], result: str) -> str:
    x, y = _corner(column, row)
    colour = {0: "#fdf1e3", 1: "#e4eff8", 2: "#e6f4ee"}[column]
    middle = x + WIDE // 2
    return "\n".join(
        [
            f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="8" fill="{colour}" stroke="#444"/>',
            f'<text x="{middle}" y="{y + 25}" font-size="18" font-weight="bold" fill="#111">{escape(room)}</text>',
            f'<text x="{middle}" y="{y + 48}" font-size="13" font-family="monospace" fill="#111">{escape(", ".join(functions))}</text>',
            f'<text x="{middle}" y="{y + 71}" font-size="15" fill="#333">{escape(result)}</text>',
        ]
    )


def _arrow(one: tuple[int, int, tuple[str, ...], str], other: tuple[int, int, tuple[str, ...], str]) -> str:
    (x1, y1), (x2, y2) = _corner(*one[:2]), _corner(*other[:2])
    if one[1] == other[1]:
        begin, end = (
            ((x1 + WIDE, y1 + HIGH / 2), (x2 - 2, y2 + HIGH / 2)) if x1 < x2 else ((x1, y1 + HIGH / 2), (x2 + WIDE + 2, y2 + HIGH / 2))
        )
    elif x1 == x2:
        begin, end = (x1 + WIDE / 2, y1 + HIGH), (x2 + WIDE / 2, y2 - 2)
    else:
        # From the corner of one box to that of the other.
        right = x2 > x1
        begin = (x1 + WIDE - 26 if right else x1 + 26, y1 + HIGH)
        end = (x2 + 26 if right else x2 + WIDE - 26, y2 - 2)
    return (
        f'<path d="M{begin[0]:g} {begin[1]:g} L{end[0]:g} {end[1]:g}" stroke="#444" stroke-width="1.6" fill="none" marker-end="url(#tip)"/>'
    )


def rooms() -> Iterator[tuple[str, str, str]]:
    """Give each room, what it is for, and which rooms it imports."""
    for room in LAYERS:
        folder = PACKAGE / room / "__init__.py"
        said = ast.get_docstring(ast.parse((folder if folder.is_file() else PACKAGE / f"{room}.py").read_text(encoding="utf-8"))) or ""
        known = {other for path in MODULES if room_of(path) == room for other in rooms_imported(path)} - {room}
        yield f"`{room}`", said.split("\n\n")[0], ", ".join(one for one in LAYERS if one in known) or "none"


def rules() -> Iterator[tuple[str, list[str]]]:
    """Give each rule of the workflow with the files of a run that it makes."""
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"^rule ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            made = re.search(r"\n    output:\n(.*?)\n    log:", block, flags=re.DOTALL)
            names = re.findall(r'f"\{(?:RESULTS|RESOURCES)\}/([^"]+)"', made[1]) if made else []
            yield block.split(":", 1)[0], [name.replace("{{", "<").replace("}}", ">") for name in names]


def functions(rule: str) -> str:
    """Say which functions of the package the script of a rule calls, without those that every script needs to read and to write."""
    tree = ast.parse((ROOT / f"workflow/scripts/{rule}.py").read_text(encoding="utf-8"))
    used = [(node.value.id, node.attr) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "ringdecay":
            for alias in node.names:
                # Of a room that is imported as a whole, what is called of it.
                called = [f"{alias.name}.{name}" for room, name in used if room == (alias.asname or alias.name)]
                found += [".".join([*str(node.module).split(".")[1:], name]) for name in called or [alias.name]]
    own = [name for name in dict.fromkeys(found) if not _EVERYWHERE.search(name)]
    return ", ".join(f"`{name}`" for name in own or [name for name in found if name.startswith("provenance")])


def outputs() -> Iterator[tuple[str, str, str]]:
    """Give each file of a run with the rule that makes it and the functions that the rule calls."""
    for rule, names in rules():
        shown = [name for name in names if not name.endswith(".svg")]
        if shown:
            yield ", ".join(f"`{name}`" for name in shown), f"`{rule}`", functions(rule)


def with_tables(text: str) -> str:
    """Give the page with its tables as the code is now."""
    text = with_part(text, "rooms", "architecture_page.py", table(["room", "what it is for", "imports"], rooms()))
    return with_part(text, "outputs", "architecture_page.py", table(["file", "rule and script", "made by"], outputs()))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
