"""Draws of the prior: in the shape of a posterior, and of the declared laws."""

import pytest
import xarray as xr
from scipy.stats import beta, halfnorm, kstest, norm

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.model import read_model
from netlm_bayes.posterior.prior import accepted_prior

# A Kolmogorov-Smirnov test below this is a wrong law, or one seed in a hundred thousand.
FALSE_ALARM = 1e-5


@pytest.fixture(scope="module", params=["pfs-weibull", "pfs-piecewise", "response-logistic"])
def analysis(request: pytest.FixtureRequest) -> Analysis:
    return analyse(read_model(request.param), read_cohorts(BUNDLED_COHORTS))


def test_every_parameter_has_its_declared_law(analysis: Analysis) -> None:
    spec = analysis.spec
    posterior = accepted_prior(analysis, 4, 1000, seed=1).tree["posterior"].to_dataset()
    own = list(spec.own_parameters)
    effects = posterior["mu"].isel(parameter=slice(len(own), None))
    average = posterior["mu"].sel(parameter="level") + effects.dot(
        xr.DataArray(analysis.centre, dims="parameter")
    )
    for name in posterior["parameter"].to_numpy():
        prior = spec.prior(name if name in own else "effect")
        found = average if name == "level" else posterior["mu"].sel(parameter=name)
        draws = found.to_numpy().ravel()
        assert kstest(draws, norm(prior.mu, prior.sigma).cdf).pvalue > FALSE_ALARM
    for name in posterior["heterogeneity"].to_numpy():
        kind = name if name in own else "effect"
        law = halfnorm(scale=spec.prior(f"heterogeneity_{kind}").sigma)
        draws = posterior["tau"].sel(heterogeneity=name).to_numpy().ravel()
        assert kstest(draws, law.cdf).pvalue > FALSE_ALARM
    away = (posterior["theta"] - posterior["mu"]).isel(parameter=-1, cohort=0)
    score = (away / posterior["tau"].isel(heterogeneity=-1)).to_numpy().ravel()
    assert kstest(score, norm.cdf).pvalue > FALSE_ALARM


def test_borrowed_margins_and_shares_of_the_hazard_have_theirs(analysis: Analysis) -> None:
    posterior = accepted_prior(analysis, 2, 500, seed=1).tree["posterior"].to_dataset()
    assert posterior["margin_tilt"].dims == ("chain", "draw", "borrowing", "covariate")
    if analysis.spec.outcome == "survival":
        draws = posterior["hazard_share"].to_numpy().ravel()
        assert kstest(draws, beta(8, 2).cdf).pvalue > FALSE_ALARM
