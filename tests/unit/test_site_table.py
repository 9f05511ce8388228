"""How a site's patients are grouped, what that costs, and what is said of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.errors import InputError
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.report.site_table import COMPUTABLE, report
from netlm_bayes.sites.disclosure import Tally, joined_patterns, neighbours_joined, smallest_joined
from netlm_bayes.sites.exchange import as_json
from netlm_bayes.sites.information import Choice, Gaps, survival_information_kept
from netlm_bayes.sites.make import Made, better_order, site_table
from netlm_bayes.sites.table import Groups, SurvivalTable, shape_nodes, survival_cells

CODEBOOK: Codebook = read_codebook(BUNDLED, Path())
SIGMA = 0.75  # of the default prior of log hazard ratios


def tally(levels: dict[str, list[list[int]]], counts: list[int]) -> Tally:
    """Groups by the numbers of their possible levels, of four (htb) or two."""
    possible = {
        name: np.array([[level in may for level in range(4 if name == "htb" else 2)] for may in x])
        for name, x in levels.items()
    }
    return Tally(possible, np.array(counts)[:, None])


def site(n: int, seed: int = 1, missing: float = 0.0) -> Patients:
    """Patients whose hazard rises with their burden and Ki67."""
    rng = np.random.default_rng(seed)
    htb, ki67 = rng.integers(0, 4, n), (rng.random(n) < 0.3).astype(int)
    months = rng.exponential(18 * np.exp(-0.3 * htb - 0.7 * ki67))
    followed = rng.uniform(3, 36, n)
    time = np.minimum(months, followed) + 0.1
    levels = {"htb": htb, "ki67": ki67, "bone": rng.integers(0, 2, n)}
    for codes in levels.values():
        codes[rng.random(n) < missing] = -1
    return Patients(
        row=np.arange(n) + 2,
        entry=np.zeros(n),
        lower=time,
        upper=np.where(months <= followed, time, np.inf),
        response=rng.integers(0, 4, n),
        levels=levels,
        values={},
    )


def test_levels_that_are_enough_stay_apart_and_too_few_join_their_neighbour() -> None:
    found = joined_patterns(tally({"htb": [[0], [1], [2], [3]]}, [9, 3, 2, 8]), 5)
    assert found.tolist() == [0, 1, 1, 2]


def with_gaps(gaps: int, told: tuple[int, ...] = (45, 30, 23, 18)) -> Patients:
    """Patients of each burden, and some of whom it is not told."""
    codes = np.repeat([*range(len(told)), -1], [*told, gaps])
    return replace(site(len(codes)), levels={"htb": codes, "ki67": np.arange(len(codes)) % 2})


def test_a_few_with_a_gap_are_left_out_and_cost_the_others_nothing() -> None:
    patients, choice = with_gaps(4), Choice(("htb",))
    made = site_table(patients, CODEBOOK, choice, "site.csv")
    others = site_table(patients.take(np.arange(120) < 116), CODEBOOK, choice, "site.csv")
    data = [
        as_json(x.table, Cohort.model_construct(id="a", label="A", n=116, source="x"), CODEBOOK)
        for x in (made, others)
    ]
    assert data[0] == data[1], "of the others nothing is different"
    assert made.left_out == Gaps(4, ("htb",), 18)
    assert {share for kept in made.kept.values() for share in kept.values()} == {1.0}
    said = report(made, choice)
    assert said[0] == (
        "fewer than 5 patients without htb are left out: fewer than 5 cannot be a group of their"
        " own, and joined to others they would cost 18 patients a reported level"
    )
    assert not any("120" in line for line in said), "how many are left out is not to be had"
    assert not any("left out" in line for line in report(others, choice))


@pytest.mark.parametrize(
    ("patients", "why"),
    [
        (with_gaps(5), "they are enough for a group of their own"),
        (with_gaps(3, (1, 1, 1, 17)), "all of the others are together, and may have any level"),
    ],
)
def test_who_has_a_gap_is_in_the_table_where(patients: Patients, why: str) -> None:
    made = site_table(patients, CODEBOOK, Choice(("htb",)), "site.csv")
    assert made.left_out is None, why
    assert made.patterns.patients.sum() == patients.n


def test_of_as_few_the_nearest_is_joined() -> None:
    assert smallest_joined(tally({"htb": [[0], [2], [3]]}, [9, 9, 2]), 5).tolist() == [0, 1, 1]
    assert smallest_joined(tally({"htb": [[1], [3], [0]]}, [9, 9, 2]), 5).tolist() == [0, 1, 0]


def test_neighbours_stand_apart_only_with_enough_of_each_outcome() -> None:
    counts = np.array([[9, 2], [9, 9], [9, 9]])
    assert neighbours_joined(counts, 5).tolist() == [0, 0, 1]


def test_fewer_than_twice_the_minimum_are_refused() -> None:
    with pytest.raises(InputError, match="must be at least 10 with a known outcome"):
        site_table(site(9), CODEBOOK, Choice(("htb",)), "small.csv")
    assert site_table(site(10), CODEBOOK, Choice(("htb",)), "small.csv").table.survival


def test_progression_between_scans_is_refused_or_counted_at_the_scan() -> None:
    exact = site(60)
    upper = np.where(exact.censored, np.inf, exact.lower + 3)
    between = replace(exact, upper=upper)
    with pytest.raises(InputError, match=r"time_upper.*--at-scan"):
        site_table(between, CODEBOOK, Choice(("htb",)), "scans.csv")
    choice = Choice(("htb",), at_scan=True, weibull=True)
    made = site_table(between, CODEBOOK, choice, "scans.csv")
    later = replace(exact, lower=np.where(exact.censored, exact.lower, upper), upper=upper)
    same = site_table(later, CODEBOOK, choice, "dated.csv")
    assert made.between_scans == (~exact.censored).sum()
    assert same.between_scans == 0
    assert made.table.survival
    assert same.table.survival
    np.testing.assert_array_equal(made.table.survival.cells.power, same.table.survival.cells.power)


def _two_tables(patients: Patients) -> tuple[SurvivalTable, SurvivalTable, np.ndarray, np.ndarray]:
    """Every pattern of htb and ki67; and htb told, Ki67 only of the two lower burdens."""
    htb, ki67 = patients.levels["htb"], patients.levels["ki67"]
    fine, coarse = htb * 2 + ki67, np.where(htb < 2, htb * 2 + ki67, htb + 2)
    tables = []
    for owner in (fine, coarse):
        number = int(owner.max()) + 1
        possible = {
            name: np.array(
                [np.isin(range(size), patients.levels[name][owner == g]) for g in range(number)]
            )
            for name, size in (("htb", 4), ("ki67", 2))
        }
        groups = Groups(np.bincount(owner), possible)
        cells = survival_cells(patients, owner, number, (6.0, 12.0), 48.0)
        tables.append(SurvivalTable(groups, cells))
    return tables[0], tables[1], fine, coarse


def test_information_kept_is_that_of_a_poisson_regression() -> None:
    """Against the whole information matrix, hazards included, from listed patterns."""
    before, after, *_ = _two_tables(site(400))
    codes = np.array([(h, k) for h in range(4) for k in range(2)])
    x = np.column_stack([*(codes[:, 0] == level for level in (1, 2, 3)), codes[:, 1]]).astype(float)

    def minus_log_posterior(theta: np.ndarray) -> float:
        eta = theta[:3] + (x @ theta[3:])[:, None]
        fit = before.cells.events * eta - before.cells.months * np.exp(eta)
        return float((theta[3:] ** 2).sum() / (2 * SIGMA**2) - fit.sum())

    theta = minimize(minus_log_posterior, np.r_[-3.0, -3, -3, 0, 0, 0, 0], tol=1e-12).x
    risk = np.exp(x @ theta[3:])

    def each(table: SurvivalTable) -> np.ndarray:
        told = table.groups.levels["ki67"].sum(axis=1) == 1
        margin = 1 + table.groups.patients @ (table.groups.levels["ki67"] & told[:, None])
        share = np.array(
            [
                [
                    table.groups.levels["htb"][g, h] * table.groups.levels["ki67"][g, k] * margin[k]
                    for h, k in codes
                ]
                for g in range(len(told))
            ]
        )
        share = share / share.sum(axis=1, keepdims=True)
        hazard = table.cells.events.sum(axis=0) / (
            table.cells.months * (share @ risk)[:, None]
        ).sum(axis=0)
        mean = table.cells.months * (share @ risk)[:, None] * hazard
        design = (share * risk) @ x / (share @ risk)[:, None]
        whole = np.zeros((7, 7))
        for g in range(len(told)):
            for j in range(3):
                row = np.r_[np.eye(3)[j], design[g]]
                whole += mean[g, j] * np.outer(row, row)
        return 1 / np.diag(np.linalg.inv(whole))[3:]

    kept = survival_information_kept(before, after, CODEBOOK)
    assert list(kept) == [("htb", "10-25%"), ("htb", "25-50%"), ("htb", ">50%"), ("ki67", ">10%")]
    expected = np.minimum(each(after) / each(before), 1.0)
    np.testing.assert_allclose(list(kept.values()), expected, rtol=1e-4)
    assert kept["ki67", ">10%"] < 0.8


def times_from(power: np.ndarray, n: int) -> np.ndarray:
    """Times of a group in shares of the scale, rising, from its powers alone: five tries."""
    nodes, rng = shape_nodes(), np.random.default_rng(0)

    def powers(log_time: np.ndarray) -> np.ndarray:
        return np.exp(np.minimum(np.outer(nodes, log_time), 50.0))  # a step may go astray

    def misfit(log_time: np.ndarray) -> np.ndarray:
        return powers(log_time).sum(axis=1) / power - 1

    def slope(log_time: np.ndarray) -> np.ndarray:
        return powers(log_time) * nodes[:, None] / power[:, None]

    strict = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 1000}
    tries = (
        least_squares(
            misfit, np.log(rng.uniform(0.02, 1, n)), slope, method="lm", x_scale="jac", **strict
        )
        for _ in range(5)
    )
    return np.sort(np.exp(min(tries, key=lambda found: found.cost).x))


@pytest.mark.parametrize(("n", "told", "within"), [(5, 5, 1e-6), (20, 1, 0.05)])
def test_times_follow_from_the_weibull_part(n: int, told: int, within: float) -> None:
    """Why it is left out unless asked for: the documentation says so, and it is so."""
    for seed in range(3):
        time = np.sort(np.random.default_rng(100 * n + seed).uniform(1, 34, n))
        never = np.full(n, np.inf)
        people = Patients(np.arange(n), np.zeros(n), time, never, np.full(n, -1), {}, {})
        cells = survival_cells(people, np.zeros(n, int), 1, (6.0,), 36.0)
        found = 36 * times_from(cells.power[0], n)
        np.testing.assert_allclose(found[:told], time[:told], rtol=0, atol=within)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"upper": np.full(60, np.inf), "response": np.full(60, 3)}, "same outcome, here 4,"),
        ({"lower": np.full(60, 7.0), "upper": np.full(60, 7.0)}, "intervals joined at 3, 6, 9, 12"),
    ],
)
def test_the_report_says_what_is_special(change: dict[str, Any], says: str) -> None:
    patients = replace(site(60), **change)
    choice = Choice(("ki67",), at_scan=True)

    def told(people: Patients) -> str:
        return "\n".join(report(site_table(people, CODEBOOK, choice, "site.csv"), choice))

    assert says in told(patients)
    assert says not in told(site(60))


@pytest.mark.parametrize(
    ("entry", "alone"),
    [
        ([1.0], 1),
        ([1.0, 2.0], 0),
        ([1.0, 4.0], 1),
    ],
)
def test_who_enters_late_where_nobody_leaves_is_counted(entry: list[float], alone: int) -> None:
    """Ten of either Ki67: those with the lower all leave at month 2, the others at month 10."""
    low = np.arange(20) < 10
    patients = replace(
        site(20),
        entry=np.array([0.0] * (20 - len(entry)) + entry),
        lower=np.where(low, 2.0, 10.0),
        upper=np.full(20, np.inf),
        levels={"ki67": np.where(low, 0, 1)},
    )
    made = site_table(patients, CODEBOOK, Choice(("ki67",), cuts=(3.0,)), "site.csv")
    assert made.table.survival
    assert made.table.survival.cells.cuts == (3.0,)
    assert made.alone == alone


@pytest.mark.parametrize(("n", "fixed"), [(COMPUTABLE, True), (COMPUTABLE + 4, False)])
def test_the_digits_of_the_powers_fix_every_time_of_a_group_so_small(n: int, fixed: bool) -> None:
    """Linear error of the times, where each power is known to half of its last digit."""
    nodes, worst = shape_nodes()[:, None], []
    for seed in range(10):
        time = np.random.default_rng(100 * n + seed).uniform(1, 34, n)
        terms = np.exp(nodes * np.log(time / 36))
        digit = terms.sum(axis=1, keepdims=True) * np.finfo(float).eps / 2
        error = np.linalg.pinv(nodes * terms / time / digit, rcond=1e-18)
        worst.append(np.sqrt((error**2).sum(axis=1)).max())
    assert (np.median(worst) < 0.002) == fixed


def test_the_better_order_is_suggested_with_what_it_keeps() -> None:
    patients = replace(
        site(84), levels={"htb": np.arange(84) % 4, "ki67": (np.arange(84) % 21 == 0).astype(int)}
    )
    patients.levels["ki67"][:8] = 1
    one, two = (Choice(names, ordered=True) for names in (("htb", "ki67"), ("ki67", "htb")))
    first, second = (site_table(patients, CODEBOOK, x, "site.csv") for x in (one, two))

    def kept(made: Made, names: tuple[str, ...]) -> str:
        each = [
            np.mean([share for x in made.kept.values() for key, share in x.items() if key[0] == n])
            for n in names
        ]
        return f"{100 * np.mean(each):.0f} %"

    line = "\n".join(better_order(first, patients, CODEBOOK, one))
    both = ("htb", "ki67")
    assert line == (
        "another order keeps more in the mean: --covariates ki67,htb keeps about"
        f" {kept(second, ('htb',))} on htb and {kept(second, both)} on each covariate in the mean,"
        f" this one {kept(first, ('htb',))} and {kept(first, both)}"
    )
    assert better_order(second, patients, CODEBOOK, two) == []
    alone = Choice(("ki67",), ordered=True)
    made = site_table(patients, CODEBOOK, alone, "site.csv")
    assert better_order(made, patients, CODEBOOK, alone) == []


def test_the_report_counts_what_was_joined_and_warns() -> None:
    choice = Choice(("htb", "ki67", "bone"), minimum=12)
    made = site_table(site(120, missing=0.05), CODEBOOK, choice, "site.csv")
    said = "\n".join(report(made, choice))
    sizes = made.patterns.patients
    assert made.table.survival
    assert made.table.response
    groups = made.table.survival.groups
    assert f"120 patients in {len(sizes)} patterns of htb, ki67, bone" in said
    assert (
        f"{(sizes < 12).sum()} hold fewer than 12: joined into {len(groups.patients)} groups"
        in said
    )
    told = {x: groups.patients[p.sum(axis=1) == 1].sum() for x, p in groups.levels.items()}
    assert f"htb {told['htb']}, ki67 {told['ki67']}, bone {told['bone']} of 120" in said
    assert f"events kept: all {made.table.survival.cells.events.sum():.0f}" in said
    assert f"{made.table.response.responders.sum()} responders" in said
    assert "no Weibull part" in said
    assert "CAUTION" not in said
