#!/usr/bin/env bash
# statsmodels' Cox regression counts who enters at an event's time as at risk then; lifelines and R do not.
#
# Guess:  late entry is an interval open on the left, (entry, exit], as in R's Surv(entry, exit,
#         event).
# Seen:   PHReg gives another coefficient when entries are moved by a millionth past the event
#         time they tie with; lifelines gives the same one.
# So:     with entries on a grid of whole months or visits, move PHReg's entries by a hair, or fit
#         with lifelines.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check statsmodels==0.15.0 lifelines==0.30.0 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import lifelines
import numpy as np
import pandas as pd
import statsmodels
import statsmodels.api as sm
from lifelines import CoxPHFitter

time = np.array([2.0, 3, 4, 4, 5, 6, 7, 8])
entry = np.array([0.0, 0, 0, 0, 4, 4, 4, 0])  # three enter at month 4, when two have their event
x = np.array([1.0, 0, 1, 0, 1, 1, 1, 0])


def phreg(entry):
    return sm.PHReg(time, x, status=np.ones(8), entry=entry, ties="breslow").fit().params[0]


def cox(entry):
    data = pd.DataFrame({"time": time, "event": 1, "entry": entry, "x": x})
    return CoxPHFitter().fit(data, "time", "event", entry_col="entry").params_["x"]


later = np.where(entry > 0, entry + 1e-6, 0.0)
print(f"statsmodels {statsmodels.__version__}: {phreg(entry):.4f}, entries a hair later {phreg(later):.4f}")
print(f"lifelines {lifelines.__version__}: {cox(entry):.4f}, entries a hair later {cox(later):.4f}")
assert abs(phreg(entry) - phreg(later)) > 0.3
assert abs(cox(entry) - cox(later)) < 1e-9
PY
