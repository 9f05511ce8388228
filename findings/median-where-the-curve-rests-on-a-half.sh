#!/usr/bin/env bash
# lifelines and statsmodels: two medians of one Kaplan-Meier curve, neither of them R's.
#
# Guess:  a curve that is exactly 1/2 from month 2 to month 3 has the median 2.5, as R's survfit
#         says.
# Seen:   lifelines says 2, statsmodels 3.
# So:     with even numbers of uncensored patients, as in small arms, a printed median is matched
#         only by the rule of the program that printed it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check statsmodels==0.15.0 lifelines==0.30.0 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import lifelines
import numpy as np
import statsmodels
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import SurvfuncRight

months, events = np.array([1.0, 2, 3, 4]), np.ones(4)
one = float(KaplanMeierFitter().fit(months, events).median_survival_time_)
other = float(SurvfuncRight(months, events).quantile(0.5))
print(f"lifelines {lifelines.__version__}: {one}; statsmodels {statsmodels.__version__}: {other}; R: 2.5")
assert (one, other) == (2.0, 3.0)
PY
