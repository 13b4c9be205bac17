"""How settled a value is: what each provider's files say of it. The rules of all formats stand here and nowhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# The order is a rank: of two values for one time the higher rank is kept.
VINTAGES = ("unknown", "quicklook", "provisional", "final")

# Each rule is also an attribute of the series (`vintage_rule`), so that a result says where its vintage comes from.

# The version in column 14 of a Dst record; 3 and up is "corrected final", and so is a blank in older files
# (https://wdc.kugi.kyoto-u.ac.jp/dstae/format/dstformat.html).
_DST_VERSIONS = {ord("0"): "quicklook", ord("1"): "provisional", ord(" "): "final"} | {ord(str(k)): "final" for k in range(2, 10)}
DST_RULE = "version in column 14 of a record: 0 is quicklook, 1 provisional, 2 and up or a blank final"

IAGA_RULE = "Data Type in the header: definitive is final, other words as they are"

# GFZ's description of Kp_ap_Ap_SN_F107*.txt and Kp_ap_*.txt knows two states, nowcast ("preliminary") and definitive. Nowcast is
# what other providers call quicklook. 2 adds that the sunspot number is definitive, too, which we do not read.
_GFZ_KP = {0: "quicklook", 1: "final", 2: "final"}
GFZ_KP_RULE = "column D: 0 is nowcast (quicklook), 1 and 2 definitive (final)"
GFZ_F107_RULE = "not said: column D speaks of Kp and the sunspot number only"

OMNI_RULE = (
    "not said: OMNI takes what its providers have at the time; Dst of a copy of OMNI2 of 2019 is WDC Kyoto's final one of 2012-2014, "
    "but differs by up to 24 nT from the final one of 2015-2018"
)
CELESTRAK_RULE = "not said: the file has the time of its last update (source_date) and no state of a value"


def codes(words: list[str]) -> npt.NDArray[np.int8]:
    """Give the position in `VINTAGES` of each word."""
    return np.array([VINTAGES.index(word) for word in words], dtype=np.int8)


def same(word: str, count: int) -> npt.NDArray[np.int8]:
    """Give one vintage to `count` values."""
    return np.full(count, VINTAGES.index(word), dtype=np.int8)


def of_dst_versions(versions: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """Give the vintage of Kyoto Dst records by the character of their version; one that is not known is "unknown"."""
    return codes([_DST_VERSIONS.get(int(version), "unknown") for version in versions])


def of_iaga_header(header: str) -> str:
    """Give the vintage that the Data Type of an IAGA-2002 header says, or "unknown"."""
    for line in header.splitlines():
        label, _, value = line.strip().partition("Data Type")
        if not label and value:
            word = value.strip(" |").lower().replace("-", "").replace(" ", "")
            return {"definitive": "final"}.get(word, word) if word in (*VINTAGES, "definitive") else "unknown"
    return "unknown"


def of_gfz_kp(states: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Give the vintage of Kp by GFZ's column D; a digit that GFZ does not describe is "unknown"."""
    return codes([_GFZ_KP.get(int(state), "unknown") for state in states])
