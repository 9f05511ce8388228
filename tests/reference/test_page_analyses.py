"""The paper's analyses of simulated patients against statsmodels, lifelines and scipy."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from tests.pages import at, continuous, factor, page

from netlm_bayes.page import analyses
from netlm_bayes.page.layout import Column, Factor, FollowUp, Group, Number, Page, Regression
from netlm_bayes.page.outcomes import Sample, draw_sample

PAGES = 6
EFFECTS = np.array([0.4, 0.9, -0.5, 0.2])


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def factors() -> list[Factor]:
    return [
        factor("one", 30, 25, 35, at=0, effects=4),
        factor("other", 40, 50, at=2, effects=4),
        continuous("third", mean=2.0, sd=1.5, at=3, effects=4),
    ]


def survival_page() -> Page:
    return page(factors(), n=90, follow_up=FollowUp(longest=40.0))


def sample(printed: Page) -> Sample:
    shape = [-0.5, 0.2] if printed.outcome == "survival" else -0.5
    return draw_sample(printed, at(printed, PAGES, own=shape, effects=EFFECTS), rng())


def design(observed: analyses.Observed, p: int) -> pd.DataFrame:
    one, other = observed.level[p, 0], observed.level[p, 1]
    columns = {"one 1": one == 1, "one 2": one == 2, "other 1": other == 1}
    return pd.DataFrame({**columns, "third": 1.5 * observed.score[p, 2]}, dtype=float)


EVERY = (Column(0, (0, 1, 2)), Column(1, (0, 1)), Column(2))
REGRESSIONS = {
    "of every factor": Regression(EVERY),
    "of one factor": Regression((Column(1, (0, 1)),)),
    "of two of three levels": Regression((Column(0, (0, -1, 1)),)),
    "of a subgroup": Regression(EVERY[1:], members=((0, (1, 2)),)),
}


def own(name: str, observed: analyses.Observed, p: int):
    """Columns and patients of a regression, written out."""
    x, one = design(observed, p), observed.level[p, 0]
    columns, keep = {
        "of every factor": (list(x), one >= 0),
        "of one factor": (["other 1"], one >= 0),
        "of two of three levels": (["one 2"], one != 1),
        "of a subgroup": (["other 1", "third"], one > 0),
    }[name]
    return x.loc[keep, columns], keep


@pytest.mark.parametrize("name", REGRESSIONS)
def test_cox_regression_is_that_of_statsmodels(name):
    printed = survival_page()
    observed = analyses.observe(sample(printed), 0)
    fits = analyses.fit(printed, observed, REGRESSIONS[name], rng())
    for p in range(PAGES):
        x, keep = own(name, observed, p)
        months, event = observed.months[p][keep], observed.event[p][keep]
        reference = PHReg(months, x.to_numpy(), status=event.astype(int)).fit(tol=1e-12)
        b, se = fits.coefficient[p], np.sqrt(np.diag(fits.covariance[p]))
        assert b == pytest.approx(reference.params, abs=1e-6)
        assert se == pytest.approx(reference.bse, abs=1e-6)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_logistic_regression_is_that_of_statsmodels(name):
    printed = page(factors(), n=90, outcome="response")
    observed = analyses.observe(sample(printed), 0)
    fits = analyses.fit(printed, observed, REGRESSIONS[name], rng())
    for p in range(PAGES):
        x, keep = own(name, observed, p)
        model = sm.Logit(observed.event[p][keep].astype(float), sm.add_constant(x))
        reference = model.fit(disp=False, tol=1e-13)
        b, se = fits.coefficient[p], np.sqrt(np.diag(fits.covariance[p]))
        assert b == pytest.approx(reference.params.to_numpy()[1:], abs=1e-6)
        assert se == pytest.approx(reference.bse.to_numpy()[1:], abs=1e-6)


@pytest.mark.parametrize("outcome", ["survival", "response"])
def test_an_aliased_dummy_is_dropped_and_the_others_are_as_without_it(outcome):
    printed = page(factors(), n=90, outcome=outcome)
    observed = analyses.observe(sample(printed), 0)
    within = ((0, (0, 2)),)
    full = analyses.fit(printed, observed, Regression(EVERY, members=within), rng())
    fewer = (Column(0, (0, 0, 1)), *EVERY[1:])
    fits = analyses.fit(printed, observed, Regression(fewer, members=within), rng())
    assert np.isnan(full.coefficient[:, 0]).all()
    assert full.coefficient[:, 1:] == pytest.approx(fits.coefficient, abs=1e-6)
    assert full.covariance[:, 1:, 1:] == pytest.approx(fits.covariance, abs=1e-6)


def one_page(level, event, months=None) -> analyses.Observed:
    level = np.asarray(level, dtype=np.int8)
    order = np.arange(1.0, level.shape[1] + 1) if months is None else months
    score = level.astype(float)
    return analyses.Observed(level[None], score[None], np.array([event], bool), order[None])


def test_a_separated_coefficient_has_no_estimate_and_leaves_the_others_theirs():
    printed = page([factor(n, 6, 6, at=k, effects=2) for k, n in enumerate("ab")], n=12)
    separated = [0, 1] * 6
    event = [1, 0] * 6
    observed = one_page([separated, [0, 0, 1, 1, 1, 0] * 2], event)
    both = Regression((Column(0, (0, 1)), Column(1, (0, 1))))
    fits = analyses.fit(printed, observed, both, rng())
    number = [Number(0, "log_ratio", 0, contrast=c) for c in ((1.0, 0.0), (0.0, 1.0))]
    assert np.isnan(fits.contrast(number[0])).all()
    # As the separated coefficient goes to minus infinity, its patients leave every risk set.
    limit = Regression(both.columns[1:], members=((0, (0,)),))
    without = analyses.fit(printed, observed, limit, rng())
    assert fits.contrast(number[1]) == pytest.approx(without.coefficient[:, 0], abs=1e-5)


def test_contrasts_and_their_standard_errors_are_those_of_another_reference():
    printed = survival_page()
    observed = analyses.observe(sample(printed), 0)
    fits = analyses.fit(printed, observed, Regression(EVERY), rng())
    turned = (Column(0, (1, 0, 2)), *EVERY[1:])
    other = analyses.fit(printed, observed, Regression(turned), rng())
    for kind in ("log_ratio", "log_se"):
        one = Number(0, kind, 0, contrast=(-1.0, 1.0, 0.0, 0.0))
        same = Number(0, kind, 0, contrast=(0.0, 1.0, 0.0, 0.0))
        assert fits.contrast(one) == pytest.approx(other.contrast(same), abs=1e-6)


@pytest.mark.parametrize("members", [(), ((0, (1,)),), ((0, (0, 2)), (1, (1,)))])
def test_curves_are_those_of_lifelines(members):
    printed = survival_page()
    observed = analyses.observe(sample(printed), 0)
    curve = analyses.ProductLimit.of(observed, members)
    for p in range(PAGES):
        keep = observed.members(members)[p]
        months, event = observed.months[p][keep], observed.event[p][keep]
        reference = KaplanMeierFitter().fit(months, event)
        median = reference.median_survival_time_
        expected = median if np.isfinite(median) else np.nan
        assert curve.median()[p] == pytest.approx(expected, nan_ok=True)
        for month in (0.5, 6.0, 18.0, 39.0):
            if months.max() < month:
                assert np.isnan(curve.at(month)[p])
                continue
            mean = restricted_mean_survival_time(reference, t=month)
            assert curve.at(month)[p] == pytest.approx(reference.predict(month), abs=1e-12)
            assert curve.restricted_mean(month)[p] == pytest.approx(mean, abs=1e-8)
        assert curve.log_events()[p] == pytest.approx(np.log(event.sum() + 0.5))


def test_the_score_statistic_is_the_log_rank_test():
    printed = survival_page()
    observed = analyses.observe(sample(printed), 0)
    regression = Regression((Column(0, (0, 1, 2)),))
    for contrast, level, reference in [((1.0, 0.0), 1, 0), ((0.0, 1.0), 2, 0), ((-1.0, 1.0), 2, 1)]:
        number = Number(0, "score", 0, contrast=contrast)
        z = analyses.score_statistic(observed, regression, number)
        for p in range(PAGES):
            groups = [
                stats.CensoredData.right_censored(observed.months[p][g], ~observed.event[p][g])
                for g in (observed.level[p, 0] == level, observed.level[p, 0] == reference)
            ]
            assert z[p] == pytest.approx(stats.logrank(*groups).statistic, abs=1e-9)


def test_the_score_statistic_of_response_is_the_chi_squared_test():
    printed = page(factors(), n=90, outcome="response")
    observed = analyses.observe(sample(printed), 0)
    z = analyses.score_statistic(
        observed, Regression((Column(1, (0, 1)),)), Number(0, "score", 0, contrast=(1.0,))
    )
    for p in range(PAGES):
        table = pd.crosstab(observed.level[p, 1], observed.event[p]).to_numpy()
        chi2 = stats.chi2_contingency(table, correction=False).statistic
        assert z[p] ** 2 == pytest.approx(chi2 * (90 - 1) / 90, abs=1e-9)
        rates = table[:, 1] / table.sum(axis=1)
        assert np.sign(z[p]) == np.sign(rates[1] - rates[0])


def test_log_odds_have_one_half_added_to_every_count():
    printed = page(
        factors(),
        [
            Number(0, "logit", 0),
            Number(0, "logit", 1),
            Number(0, "log_odds_ratio", 1, versus=2),
        ],
        groups=[Group(), Group(0, ((0, (1,)),)), Group(0, ((0, (0,)),))],
        n=90,
        outcome="response",
    )
    drawn = sample(printed)
    found = analyses.printed_numbers(printed, at(printed, PAGES), drawn, rng())
    for p in range(PAGES):
        one, responds = drawn.patients.level[p, 0], drawn.event[0][p]
        yes = [responds.sum(), responds[one == 1].sum(), responds[one == 0].sum()]
        no = [90 - yes[0], 25 - yes[1], 30 - yes[2]]
        logits = [np.log((y + 0.5) / (n + 0.5)) for y, n in zip(yes, no, strict=True)]
        assert found[p] == pytest.approx([logits[0], logits[1], logits[1] - logits[2]])
