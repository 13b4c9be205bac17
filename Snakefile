# The workflow lives in workflow/Snakefile. A root file that only included it would do nothing and say so quietly: rules of an
# included file are no default target, so this one names its own.
include: "workflow/Snakefile"


rule everything:
    default_target: True
    input:
        rules.all.input,
