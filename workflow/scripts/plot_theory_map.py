"""Draw the predicted lifetimes over the run's energies and L-shells: for a flat spectrum, and for the spectrum and Kp of the config."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset
from ringdecay.theory import loss_rate_over

with logged_to(snakemake.log[0]):
    lifetimes = open_dataset(snakemake.input.lifetimes)
    # That of the comparison: of flux by pitch angle the middle of its bin, which is not the angle of the config.
    common = {"equatorial_pitch_angle": lifetimes.attrs["theory_equatorial_pitch_angle"]}
    settings = snakemake.params.settings
    figure = plots.theory_map(loss_rate_over(lifetimes, **common), loss_rate_over(lifetimes, **common, **settings))
    plots.save(figure, *snakemake.output)
