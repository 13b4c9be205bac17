"""Over storms: what the decays of many storms say together of every energy and L-shell.

`mean` averages rates, `scatter` says how far storms lie apart, `prediction` what the next one may bring; `bootstrap` and `influence`
check the mean, `discoveries` tells decays from chance over the map, `dependence` relates the rates to the `covariates` of the storms.
`fits` says which fits enter, `averaging` puts all that is said of a cell together, `result` names it.
"""

from ringdecay.lifetime.averaging import lifetimes
from ringdecay.lifetime.covariates import storm_covariates
from ringdecay.lifetime.dependence import dependence
from ringdecay.lifetime.discoveries import discoveries
from ringdecay.lifetime.influence import influence
from ringdecay.lifetime.result import CALIBRATED, FLAGS, PAPER
from ringdecay.lifetime.scatter import paule_mandel

__all__ = ["CALIBRATED", "FLAGS", "PAPER", "dependence", "discoveries", "influence", "lifetimes", "paule_mandel", "storm_covariates"]
