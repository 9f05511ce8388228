#!/usr/bin/env bash
# ArviZ: power-scaling sensitivity fails where a row of the log likelihood is labelled.
#
# Guess:  psense_summary of a log_likelihood group with two variables gives the same answer whether
#         or not their rows carry labels, here the study that each row belongs to: coordinates
#         that index no dimension say nothing of the numbers.
# Seen:   without the labels there is an answer. With them the variables are stacked, a label of
#         one is missing in the other, and xarray refuses: "coordinate ... not present in all
#         datasets". One variable alone with its labels is fine.
# So:     reset_coords(drop=True) on the log likelihood before psense and psense_summary.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check 'arviz-stats[xarray]==1.3.3' \
    arviz-base==1.3.1 'xarray==2026.9.0' 'numpy==2.5.5'
"$work/env/bin/python" -W ignore - <<'PY'
import arviz_stats
import numpy as np
import xarray as xr

rng = np.random.default_rng(1)
theta = xr.DataArray(rng.normal(size=(4, 500)), dims=("chain", "draw"))


def summary(labelled, kinds=("ratios", "curve")):
    terms = {}
    for kind in kinds:
        rows = xr.DataArray(rng.normal(size=3), dims=f"{kind}_row")
        terms[kind] = -((rows - theta) ** 2).transpose("chain", "draw", ...)
        if labelled:
            studies = {f"{kind}_study": (f"{kind}_row", ["a", "a", "b"])}
            terms[kind] = terms[kind].assign_coords(studies)
    groups = {
        "posterior": xr.Dataset({"theta": theta}),
        "log_prior": xr.Dataset({"theta": -(theta**2)}),
        "log_likelihood": xr.Dataset(terms),
    }
    return arviz_stats.psense_summary(xr.DataTree.from_dict(groups), var_names=["theta"])


print(f"arviz-stats {arviz_stats.__version__}, xarray {xr.__version__}")
print("without labels:", summary(False)["diagnosis"].tolist())
print("one variable with labels:", len(summary(True, ("ratios",))), "row")
try:
    summary(True)
except ValueError as error:
    print(f"two variables with labels: {error}")
    assert "not present in all datasets" in str(error)
else:
    raise SystemExit("two variables with labels are summarised now")
PY
