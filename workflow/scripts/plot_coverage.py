"""Draw which days were there, used and refused."""

from ringdecay import plots
from ringdecay.coverage import read_coverage
from ringdecay.logs import logged_to
from ringdecay.storms import read_storms

with logged_to(snakemake.log[0]):
    figure = plots.coverage_calendar(read_coverage(snakemake.input.days), read_storms(snakemake.input.storms))
    plots.save(figure, *snakemake.output)
