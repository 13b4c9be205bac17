"""The table of settings in config/README.md, made from the schema; `python tests/config_page.py` puts it in anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from page_parts import table, with_part

from ringdecay.config import load_schema

PAGE = Path(__file__).resolve().parents[1] / "config/README.md"


def settings(schema: dict[str, Any], before: str = "") -> Iterator[tuple[str, str, str]]:
    """Give name, default and meaning of each setting of an object of the schema, those of the objects in it included."""
    in_list = before.endswith("[].")
    for key, part in schema["properties"].items():
        if part.get("type") == "object":
            yield from settings(part, f"{before}{key}.")
            continue
        needed = key in schema.get("required", [])
        default = f"`{json.dumps(part['default'])}`" if "default" in part else "required" * needed
        known = ", ".join("null" if one is None else str(one) for one in part.get("enum", []))
        yield f"`{before}{key}`", default, part["description"].replace("<", "\\<") + f" One of {known}." * bool(known and not in_list)
        if "properties" in part.get("items", {}):
            yield from settings(part["items"], f"{before}{key}[].")


def with_settings(text: str) -> str:
    """Give the page with the table as the schema has it now."""
    return with_part(text, "settings", "config_page.py", table(["setting", "default", "what it is"], settings(load_schema())))


if __name__ == "__main__":
    PAGE.write_text(with_settings(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
