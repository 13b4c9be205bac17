# Not part of a run: `snakemake validate` measures the package itself, on simulated data of its own.
VALIDATION = "results/validation"


rule validate:
    output:
        tables=expand(
            f"{VALIDATION}/{{name}}", name=["entries.csv", "summary.csv", "table.md"]
        ),
        figures=expand(
            f"{VALIDATION}/figures/{{name}}.{{suffix}}",
            name=["coverage", "bias"],
            suffix=["png", "svg"],
        ),
    log:
        "logs/validation/validate.log",
    benchmark:
        "logs/validation/benchmarks/validate.tsv"
    threads: 2
    resources:
        mem_mb=4000,
    params:
        code=code("validate"),
        trials="full",
    message:
        "Measuring coverage, bias and claims on simulated data"
    script:
        "../scripts/validate.py"
