"""The recovered tables of the first cohort, and statsmodels' logistic regression on them."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import Logit

from netlm_bayes.codebook import Codebook, bundled_file, read_codebook
from netlm_bayes.files.toml import read_toml, validated
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Ratio
from netlm_bayes.published.recover import RecoveredTable, recover_tables

TABLES = {  # responders / patients, levels in the codebook's order
    "sex": "46/54 45/62",
    "functionality": "78/99 13/17",
    "site": "38/54 53/62",
    "resection": "57/71 34/45",
    "ki67": "81/98 10/18",
    "htb": "24/31 22/26 19/24 26/35",
    "bone": "73/86 18/30",
    "lymph_node": "46/58 45/58",
    "lung": "88/111 3/5",
    "other_metastasis": "80/102 11/14",
    "margin": "14/24 77/92",
    "enhancement": "36/44 55/72",
}


def bundled() -> tuple[Cohort, Codebook]:
    values, text = read_toml(bundled_file("sysu-2016-2020"))
    cohort = validated(Cohort, values, "sysu-2016-2020", text)
    return cohort, read_codebook(cohort.codebook, beside=Path())


COHORT, CODEBOOK = bundled()
RECOVERED = {table.covariate: table for table in recover_tables(COHORT, CODEBOOK)}


def test_every_unadjusted_odds_ratio_has_exactly_one_table() -> None:
    found = recover_tables(COHORT, CODEBOOK)
    assert all(table.unique for table in found)
    assert {
        table.covariate: " ".join(
            f"{r}/{n}" for r, n in zip(table.responders, table.n, strict=True)
        )
        for table in found
    } == TABLES


@pytest.mark.parametrize("covariate", TABLES)
def test_logistic_regression_on_the_patients_of_a_table_prints_what_the_paper_prints(
    covariate: str,
) -> None:
    table = RECOVERED[covariate]
    reference = CODEBOOK.covariate(covariate).reference
    effects = [level for level in table.levels if level != reference]
    level, responded = patients(table)
    design = np.column_stack([np.ones(len(level)), *(level == effect for effect in effects)])
    fit = Logit(responded, design.astype(float)).fit(disp=False, tol=1e-10)
    for column, (effect, index) in enumerate(zip(effects, table.items, strict=True), start=1):
        item = COHORT.published[index]
        assert isinstance(item, Ratio)
        assert item.level == (effect,)
        assert_rounds_to(item.estimate, np.exp(fit.params[column]))
        assert_rounds_to(item.lower, np.exp(fit.conf_int()[column, 0]))
        assert_rounds_to(item.upper, np.exp(fit.conf_int()[column, 1]))
        assert_rounds_to(item.p, fit.pvalues[column])


def patients(table: RecoveredTable) -> tuple[np.ndarray, np.ndarray]:
    """One row a patient: level, and whether the patient responded."""
    level = np.repeat(table.levels, table.n)
    pairs = zip(table.responders, table.n, strict=True)
    return level, np.concatenate([np.arange(n) < r for r, n in pairs]).astype(float)


def assert_rounds_to(printed: Decimal | None, value: float) -> None:
    """Hold a value against printed digits: half a unit in the last place, 1e-6 for the fit."""
    assert printed is not None
    half = 0.5 * 10.0 ** int(printed.as_tuple().exponent)
    assert value == pytest.approx(float(printed), abs=half + 1e-6)
