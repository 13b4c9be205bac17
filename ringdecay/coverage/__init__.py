"""What was there, what was used and what was refused: by product, probe and day, and by the place where records were taken."""

from ringdecay.coverage.days import coverage_days, coverage_months, coverage_totals, day_ranges, days_header, read_coverage
from ringdecay.coverage.page import coverage_page, index_sentence
from ringdecay.coverage.sectors import cell_table, cells_header, sector_coverage

__all__ = [
    "cell_table",
    "cells_header",
    "coverage_days",
    "coverage_months",
    "coverage_page",
    "coverage_totals",
    "day_ranges",
    "days_header",
    "index_sentence",
    "read_coverage",
    "sector_coverage",
]
