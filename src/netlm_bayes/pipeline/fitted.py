"""A fit as a notebook uses it: tables, draws, figures, predictions, other data, a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from netlm_bayes.errors import InputError, Problem, RunError
from netlm_bayes.pipeline.predict import Prediction, predict
from netlm_bayes.pipeline.report import export_run, write_page_of
from netlm_bayes.pipeline.run import read_run, save_run
from netlm_bayes.pipeline.summary import headline, html_table
from netlm_bayes.report.charts import curve_covariates, curves_by, forest
from netlm_bayes.report.draw import Drawn, axes_of, figure_of
from netlm_bayes.report.prose import conflicts
from netlm_bayes.report.run import ONLY_RATIOS, Run


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Run):
    """One posterior that converged, its estimates and all that was set beside them.

    Made by `fit`, `pool` or `read`; nothing is written unless `save` is called.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Every table by name, one row an estimate: `effects`, `subgroups`, `curves`, `comparison`,
        `replication`, `evidence` and others, as in a run's folder.
    checks : tuple of Check
        Diagnostics, all passed.
    manifest : mapping
        Command, seed, versions, inputs and model.
    model : Model
    idata : DataTree
        Groups `posterior`, `prior`, `log_likelihood` and `sample_stats`.
    """

    again: Callable[[Any, int | None], Fit] | None = None

    @property
    def effects(self) -> pd.DataFrame:
        """Hazard or odds ratios of every cohort, the pool and the next institution, tidy."""
        return self.tables["effects"].copy()

    @property
    def subgroups(self) -> pd.DataFrame:
        """Median, RMST and survival, or probability of response, by level of covariates, tidy."""
        return self.tables["subgroups"].copy()

    def predict(self, **profile: Any) -> Prediction:
        """Predict a kind of patient.

        Parameters
        ----------
        **profile
            Level of each covariate that is known, or the number of a continuous one:
            ``fit.predict(htb=">50%", age=63)``. Others are averaged over the population.

        Returns
        -------
        Prediction

        Raises
        ------
        InputError
            With every fault of the profile.
        GateError
            What is predicted did not converge.
        """
        return predict(self, profile)

    def forest(self) -> Drawn:
        """Draw printed ratios, or those of a regression, beside the posterior's.

        Returns
        -------
        matplotlib Axes, or ndarray of Axes
        """
        chart = forest(self.tables["effects"], self.tables.get("comparison"), self.labels)
        if chart is None:
            raise InputError("forest", [Problem("", "the model has no covariates")])
        return axes_of(figure_of(chart))

    def curves(self, by: str | None = None) -> Drawn:
        """Draw survival by the levels of a covariate, with printed medians.

        Parameters
        ----------
        by : str, optional
            Covariate with levels; the model's first by default.

        Returns
        -------
        matplotlib Axes, or ndarray of Axes

        Raises
        ------
        InputError
            The model is not one of survival, or has no such covariate.
        """
        if "curves" not in self.tables:
            response = "the model is one of response; it has no survival curves"
            what = ONLY_RATIOS if self.only_ratios else response
            raise InputError("curves", [Problem("", what)])
        there = curve_covariates(self.tables["curves"], self.labels)
        name = by or next(iter(there), None)
        if name not in there:
            what = f"no curves by {name!r}; there are {', '.join(there) or 'none'}"
            raise InputError("curves", [Problem("by", what)])
        chart = curves_by(name, self.tables["curves"], self.tables.get("replication"), self.labels)
        return axes_of(figure_of(chart))

    def refit(self, data: Any, seed: int | None = None) -> Fit:
        """Fit the same model to other data, in memory.

        Data of the same structure (the same kinds of evidence, as many rows after patients who
        are alike are taken together) need no compilation; others are compiled anew.

        Parameters
        ----------
        data
            As for `fit`.
        seed : int, optional
            That of this fit by default.

        Returns
        -------
        Fit

        Raises
        ------
        RunError
            This fit was read from a folder: its evidence is not there.
        """
        if self.again is None:
            raise RunError("a run read from a folder cannot be refitted; call netlm_bayes.fit")
        return self.again(data, seed)

    def save(self, folder: str | Path, *, command: str = "", keep_patients: bool = False) -> Path:
        """Write the run's folder: manifest, diagnostics, draws, tables, figures, script.

        Parameters
        ----------
        folder : str or Path
            An earlier run there is replaced; anything else is refused.
        command : str, optional
            For the manifest; a call of `netlm_bayes.fit` by default.
        keep_patients : bool, default False
            Keep what the draws hold of single patients.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        RunError
            The folder is no run, or cannot be written.
        """
        save_run(self, Path(folder), command or str(self.manifest["command"]), keep_patients)
        return Path(folder)

    def report(self, path: str | Path, *, force: bool = False) -> Path:
        """Write one self-contained HTML page to read, explore and send.

        Parameters
        ----------
        path : str or Path
            An ``.html``.
        force : bool, default False
            Replace a file that is there.

        Returns
        -------
        Path

        Raises
        ------
        InputError, RunError
            The name ends otherwise, or the file is there or cannot be written.
        """
        write_page_of(self, Path(path), force)
        return Path(path)

    def export(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the tables of a manuscript.

        Parameters
        ----------
        path : str or Path
            An ``.xlsx``, ``.docx`` or ``.tex``.
        force : bool, default False
            Replace a file that is there.

        Returns
        -------
        Path

        Raises
        ------
        InputError, RunError
            The name ends otherwise, or the file is there or cannot be written.
        """
        export_run(self, Path(path), force)
        return Path(path)

    def __repr__(self) -> str:
        """Name model and cohorts."""
        cohorts = ", ".join(str(one["id"]) for one in self.population["cohorts"])
        return f"<Fit of {self.model.name} to {cohorts}>"

    def _repr_html_(self) -> str:
        """Show the answer in a notebook."""
        level = f"posterior ({100 * self.model.level:g} % interval)"
        checks = f"Converged: all {len(self.checks)} diagnostics passed."
        found = " ".join([checks, *(f"Conflict: {line}" for line in conflicts(self.tables))])
        rows = headline(self.tables, self.labels)
        return html_table(repr(self).strip("<>"), ("cohort", "what", level, "P(>1)"), rows, found)


def read(folder: str | Path) -> Fit:
    """Read a run from its folder.

    Parameters
    ----------
    folder : str or Path
        Of a fit or a pool that converged.

    Returns
    -------
    Fit
        It can be asked, drawn and saved; `refit` needs `fit`.

    Raises
    ------
    RunError
        The folder is no run of a model, or did not converge.
    """
    found = read_run(Path(folder))
    parts = (found.manifest, found.tables, found.checks, found.draws, found.left_out)
    return Fit(*parts, found.script)
