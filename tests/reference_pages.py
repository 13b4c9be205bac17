"""The pages of docs/reference that list functions, room by room; `python tests/reference_pages.py` writes them."""

from __future__ import annotations

from pathlib import Path

from page_parts import table, with_part
from test_structure import LAYERS

FOLDER = Path(__file__).resolve().parents[1] / "docs/reference"
INDEX = FOLDER / "index.md"
# Page -> title, what the rooms on it are for, the rooms. The command line has a page of its own, made from the commands.
PAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "files": (
        "Functions: files",
        "From an archive to flux and indices.",
        ("archive", "products", "cdf", "check", "flux", "ephemeris", "indices"),
    ),
    "analysis": (
        "Functions: analysis",
        "From flux and indices to decay times.",
        ("storms", "binned", "decays", "lifetime", "surface", "start_delays", "sensitivity", "pitch_angles", "energy_content"),
    ),
    "theory": (
        "Functions: theory",
        "What physics predicts, and the observed beside it. How each lifetime is made: [theory](../theory.md).",
        ("theory", "beside_theory"),
    ),
    "results": (
        "Functions: results",
        "Figures, tables, pages, and how results are kept.",
        ("plots", "tables", "coverage", "explorer", "run_summary", "summaries", "store", "provenance"),
    ),
    "simulation": (
        "Functions: simulation and proof",
        "A world whose decay times are known, and what the package claims, measured in it.",
        ("simulate", "validate"),
    ),
    "house": (
        "Functions: the house",
        "What all other rooms stand on. You need these only if you change the package.",
        ("config", "errors", "progress", "schedule", "fingerprint", "lazy", "logs", "compiled"),
    ),
}


def page(name: str) -> str:
    """Give a page, with those of its rooms that there are."""
    title, about, rooms = PAGES[name]
    parts = [f"# {title}", about]
    for room in rooms:
        if room in LAYERS:
            parts += [f"## {room}", f"```{{eval-rst}}\n.. automodule:: ringdecay.{room}\n```"]
    return "\n\n".join(parts) + "\n"


def with_index(text: str) -> str:
    """Give the page that lists the others as they are now."""
    rows = [(f"[{title}]({name}.md)", ", ".join(f"`{room}`" for room in rooms)) for name, (title, _, rooms) in PAGES.items()]
    return with_part(text, "functions", "reference_pages.py", table(["page", "what it lists"], rows))


if __name__ == "__main__":
    for name in PAGES:
        (FOLDER / f"{name}.md").write_text(page(name), encoding="utf-8")
    INDEX.write_text(with_index(INDEX.read_text(encoding="utf-8")), encoding="utf-8")
