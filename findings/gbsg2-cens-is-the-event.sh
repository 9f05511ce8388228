#!/usr/bin/env bash
# scikit-survival's breast cancer set: a patient with cens = True was not censored.
#
# Guess:  the field `cens` of load_gbsg2 is True where follow-up was censored.
# Seen:   it is True in 299 of 686 patients, those with a recurrence: the set keeps R's name for
#         an event indicator.
# So:     never infer the direction of an event from the name of a column; look at who has the
#         longer times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check scikit-survival==0.28.0 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import numpy as np
import sksurv
from sksurv.datasets import load_gbsg2
from sksurv.nonparametric import kaplan_meier_estimator

_, y = load_gbsg2()
marked, others = np.median(y["time"][y["cens"]]), np.median(y["time"][~y["cens"]])
_, survival = kaplan_meier_estimator(y["cens"], y["time"])
print(f"scikit-survival {sksurv.__version__}: cens True in {y['cens'].sum()} of {len(y)}, median day {marked:.0f}")
print(f"the others' median day {others:.0f}; survival at the end with True as event {survival[-1]:.2f}")
assert int(y["cens"].sum()) == 299
assert marked < others
PY
