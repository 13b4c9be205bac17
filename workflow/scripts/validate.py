"""Measure on simulated data whether intervals, means and limits hold the truth as often as they say."""

from pathlib import Path

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.validate import validate, write_report

# Worker processes import this file again; only the job itself may run it.
if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        entries = validate(snakemake.params.trials, workers=snakemake.threads)
        write_report(entries, Path(snakemake.output.tables[0]).parent)
        for path in snakemake.output.figures:
            draw = plots.validation_coverage if Path(path).stem == "coverage" else plots.validation_bias
            plots.save(draw(entries), path)
