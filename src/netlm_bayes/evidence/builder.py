"""A cohort put together in Python: what a paper prints, number by number, or a table of patients.

The keys, the checks and their messages are those of a cohort's file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlm_bayes.codebook import BUNDLED, Codebook, find_codebook
from netlm_bayes.errors import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

GIVEN = "given in Python"
Number = float | int | str | Decimal
Levels = str | Sequence[str]


@dataclass(frozen=True)
class Cohort:
    """A cohort in memory; each method returns a new one with a printed number more.

    Numbers are taken as printed: give ``"2.840"`` as text where the last decimals are zeros, since
    they say how far the paper rounded. Everything is checked when the cohort is used, by the rules
    of a cohort's file, and every fault is reported at once.

    Parameters
    ----------
    id : str
        Short name, in tables and figures.
    n : int, optional
        Patients; of a table of patients they are counted.
    label : str, optional
        Name in figures; `id` by default.
    codebook : str, Path or Codebook, default "netlm"
        Covariates, levels and endpoints: the bundled codebook, a codebook's file, or a codebook.
    source : str, optional
        The paper or the hospital.
    unit : {"months", "years", "weeks", "days"}
        Of its times: printed ones, and those of patients that `units` does not name.
    patients : DataFrame, optional
        One row a patient, with the codebook's names, or those that `columns` maps.
    columns, units, recodes : mapping, optional
        Of `patients`: as in ``[patients]`` of a cohort's file.
    ignore : sequence of str, optional
        Columns of `patients` that are not read.
    endpoint : str, optional
        Endpoint that the times of `patients` are of; the codebook's first by default.
    institution : str, optional
    enrolment : sequence of date, optional
        First and last day.
    randomised : sequence of str, optional
        Treatments that were assigned at random; as the codebook says by default.
    selected : str, optional
        ``"p<0.05"`` where only ratios with a p value below it are printed.
    not_printed : sequence of mapping, optional
        Ratios that were tested and left out as not significant, each with the keys of a ratio:
        `kind`, `covariate`, `level`, `versus` and others.

    Examples
    --------
    >>> import netlm_bayes as nb
    >>> smith = nb.Cohort("smith-2024", n=120).hazard_ratio("bone", 2.9, (1.5, 5.6))
    >>> smith = smith.median(13.6).margin("bone", {"yes": 24})
    >>> smith
    <Cohort 'smith-2024': 3 printed items>
    """

    id: str
    n: int | None = None
    label: str = ""
    codebook: str | Path | Codebook = BUNDLED
    source: str = GIVEN
    unit: str = "months"
    patients: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    recodes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ignore: Sequence[str] = ()
    endpoint: str = ""
    institution: str = ""
    enrolment: Sequence[Any] = ()
    randomised: Sequence[str] | None = None
    selected: str = ""
    not_printed: Sequence[Mapping[str, Any]] = ()
    items: tuple[Mapping[str, Any], ...] = ()
    borrowed: Mapping[str, Any] | None = None

    def item(self, kind: str, **keys: Any) -> Cohort:
        """Add an item of any kind, by the keys of a cohort's file.

        Parameters
        ----------
        kind : str
            As in ``[[published]]``.
        **keys
            The item's other keys. `role` is ``"fit"`` and `source` the cohort's if not given.

        Returns
        -------
        Cohort
        """
        given = {name: _printed(name, x) for name, x in keys.items() if x is not None}
        fitted = {} if kind in UNFITTED else {"role": "fit"}
        found = {"kind": kind, "source": self.source, **fitted, **given}
        return replace(self, items=(*self.items, found))

    def hazard_ratio(
        self,
        covariate: str,
        estimate: Number,
        interval: Sequence[Number] | None = None,
        *,
        level: Levels | None = None,
        versus: Levels | None = None,
        endpoint: str | None = None,
        p: Number | None = None,
        adjusted_for: Sequence[str] = (),
        **more: Any,
    ) -> Cohort:
        """Add a printed hazard ratio, of `level` versus `versus`.

        Parameters
        ----------
        covariate : str
        estimate : number or str
        interval : pair of numbers, optional
            95 % limits; or give `p`.
        level, versus : str or sequence of str, optional
            Needed unless the covariate has two levels; then the other level against the reference.
        endpoint : str, optional
            The codebook's first by default.
        p : number, optional
        adjusted_for : sequence of str
            The other covariates of the printed regression.
        **more
            Other keys of the item.

        Returns
        -------
        Cohort
        """
        endpoint = endpoint or self._codebook.primary_endpoint
        ends = _interval(interval)
        contrast = self._contrast(covariate, level, versus)
        keys = {"covariate": covariate, "estimate": estimate, "p": p, "adjusted_for": adjusted_for}
        return self.item("hazard_ratio", endpoint=endpoint, **keys, **ends, **contrast, **more)

    def odds_ratio(
        self,
        covariate: str,
        estimate: Number,
        interval: Sequence[Number] | None = None,
        *,
        level: Levels | None = None,
        versus: Levels | None = None,
        p: Number | None = None,
        adjusted_for: Sequence[str] = (),
        **more: Any,
    ) -> Cohort:
        """Add a printed odds ratio of response, of `level` versus `versus`.

        Parameters
        ----------
        covariate, estimate, interval, level, versus, p, adjusted_for
            As for `hazard_ratio`.
        **more
            Other keys of the item; ``event="non_response"`` for odds of not responding.

        Returns
        -------
        Cohort
        """
        ends, contrast = _interval(interval), self._contrast(covariate, level, versus)
        keys = {"covariate": covariate, "estimate": estimate, "p": p, "adjusted_for": adjusted_for}
        return self.item("odds_ratio", **keys, **ends, **contrast, **more)

    def median(
        self,
        time: Number | None,
        *,
        endpoint: str | None = None,
        subgroup: Mapping[str, Levels] | None = None,
        **more: Any,
    ) -> Cohort:
        """Add a printed median time to the event; None where it was not reached.

        Parameters
        ----------
        time : number or None
            In the cohort's unit, or that of `more`.
        endpoint : str, optional
            The codebook's first by default.
        subgroup : mapping of str to str or sequence of str, optional
            Levels by covariate; everyone if not given. Then `n` is needed.
        **more
            Other keys of the item: `unit`, `n`, and `followed_to` where the median was not reached.

        Returns
        -------
        Cohort
        """
        reached = {"not_reached": True} if time is None else {"time": time}
        endpoint = endpoint or self._codebook.primary_endpoint
        return self.item("median", endpoint=endpoint, subgroup=subgroup or {}, **reached, **more)

    def survival(
        self,
        time: Number,
        survival: Number,
        interval: Sequence[Number] | None = None,
        *,
        endpoint: str | None = None,
        subgroup: Mapping[str, Levels] | None = None,
        **more: Any,
    ) -> Cohort:
        """Add a printed survival probability at a time.

        Parameters
        ----------
        time, survival : number
            `time` as for `median`, `survival` between 0 and 1.
        interval : pair of numbers, optional
        endpoint, subgroup, **more
            As for `median`.

        Returns
        -------
        Cohort
        """
        endpoint = endpoint or self._codebook.primary_endpoint
        keys = {"time": time, "survival": survival, **_interval(interval), **more}
        return self.item("milestone", endpoint=endpoint, subgroup=subgroup or {}, **keys)

    def responders(
        self, responders: int, of: int, *, subgroup: Mapping[str, Levels] | None = None
    ) -> Cohort:
        """Add a printed number of responders (complete or partial), among all or in a subgroup.

        Parameters
        ----------
        responders, of : int
        subgroup : mapping, optional
            Levels by covariate.

        Returns
        -------
        Cohort
        """
        values = {"responders": responders, "nonresponders": of - responders}
        return self.item("counts", values=values, subgroup=subgroup or {})

    def margin(self, covariate: str, values: Mapping[str, int], *, missing: int = 0) -> Cohort:
        """Add the printed numbers of patients by level of a covariate.

        Parameters
        ----------
        covariate : str
        values : mapping of str to int
            By level; one of them may be left out where `n` tells it.
        missing : int, default 0

        Returns
        -------
        Cohort
        """
        return self.item("margin", covariate=covariate, values=values, missing=missing)

    def borrow_margins(
        self, cohort: str, covariates: Sequence[str], *, log_sd: Number, why: str
    ) -> Cohort:
        """Take the margins of covariates that the paper does not print from another cohort.

        Parameters
        ----------
        cohort : str
            Id of a cohort in the same analysis, or of a bundled one.
        covariates : sequence of str
        log_sd : float
            Standard deviation of the log odds of each level: how far the cohorts may differ.
        why : str

        Returns
        -------
        Cohort
        """
        borrowed = {"cohort": cohort, "log_sd": float(log_sd), "why": why}
        return replace(self, borrowed=borrowed | {"covariates": tuple(covariates)})

    @property
    def document(self) -> dict[str, Any]:
        """What a cohort's file would hold."""
        found: dict[str, Any] = {
            "id": self.id,
            "label": self.label or self.id,
            "source": self.source,
            "unit": self.unit,
            "institution": self.institution,
            "enrolment": tuple(self.enrolment),
        }
        found |= {} if self.n is None else {"n": self.n}
        found |= {} if self.randomised is None else {"randomised": tuple(self.randomised)}
        found |= {"borrowed_margins": self.borrowed} if self.borrowed else {}
        found |= {"published": self.items} if self.items or self.patients is None else {}
        found |= {"selected": self.selected} if self.selected else {}
        if self.not_printed:
            found["not_printed"] = tuple(map(_plain, self.not_printed))
        if self.patients is not None:
            layout = {"columns": self.columns, "units": self.units, "recodes": self.recodes}
            more = {"ignore": tuple(self.ignore), "endpoint": self.endpoint}
            found["patients"] = {"file": self.id, **more, **_plain(layout)}
        return found

    @property
    def _codebook(self) -> Codebook:
        return find_codebook(self.codebook).codebook

    def _contrast(
        self, covariate: str, level: Levels | None, versus: Levels | None
    ) -> dict[str, Levels]:
        """Levels of a ratio; of two levels they need not be given."""
        known = self._codebook.covariates.get(covariate)
        if level is None and versus is None and known is not None and len(known.levels) == 2:
            return {"level": known.effects, "versus": (known.reference,)}
        given = {"level": level, "versus": versus}
        return {name: value for name, value in given.items() if value is not None}

    def __repr__(self) -> str:
        """Name the cohort, and what is known of it."""
        return f"<Cohort '{self.id}': {self._held}>"

    def _repr_html_(self) -> str:
        """Show what a notebook shows of the cohort."""
        rows = "".join(
            f"<tr><td>{escape(str(item['kind']).replace('_', ' '))}</td>"
            f"<td>{escape(_shown(item))}</td></tr>"
            for item in self.items
        )
        head = f"<b>{escape(self.label or self.id)}</b>: {escape(self._held)}"
        return f"<p>{head}</p><table>{rows}</table>" if rows else f"<p>{head}</p>"

    @property
    def _held(self) -> str:
        if self.patients is not None:
            return f"{len(self.patients)} patients"
        count = len(self.items)
        return f"{count} printed item{'s' if count != 1 else ''}"


UNFITTED = ("margin", "adverse_event", "statistic", "interaction")
"""Kinds of item that enter no likelihood by themselves."""
NUMBERS = (
    *("estimate", "lower", "upper", "confidence", "per", "p", "p_below", "p_above"),
    *("o_minus_e", "variance", "time", "survival", "followed_to", "horizon"),
    *("location", "sd", "lower_quartile", "upper_quartile", "minimum", "maximum"),
)
"""Keys of numbers that keep their decimals."""
HIDDEN = ("kind", "source", "role")


def _shown(item: Mapping[str, Any]) -> str:
    pairs = [(name, value) for name, value in item.items() if name not in HIDDEN and value]
    return ", ".join(f"{name} {_words(value)}" for name, value in pairs)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items())
    return " or ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _interval(interval: Sequence[Number] | None) -> dict[str, Number]:
    if interval is None:
        return {}
    if isinstance(interval, str) or len(interval) != 2:
        what = f"must be a pair (lower, upper); got {interval!r}"
        raise InputError("cohort", [Problem("interval", what)])
    return {"lower": interval[0], "upper": interval[1]}


def _printed(key: str, value: Any) -> Any:
    """A key's value as a file would hold it; numbers may be given as text."""
    if isinstance(value, str) and key in NUMBERS:
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return _plain(value)


def _plain(value: Any) -> Any:
    """Python's values as a file holds them: numbers with their decimals, tuples for lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_plain(inner) for inner in value)
    if hasattr(value, "item"):
        value = value.item()
    return Decimal(repr(value)) if isinstance(value, float) else value
