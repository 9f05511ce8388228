#!/usr/bin/env bash
# PyMARE: the default interval of a meta-analysis can be far narrower than a fixed-effect one.
#
# Guess:  DerSimonianLaird() with tau2 = 0 gives the inverse-variance interval, as metafor and
#         RevMan do.
# Seen:   the Knapp-Hartung factor is applied by default, also to tau2 = 0, and is not held at 1
#         or more: three studies that agree, each with variance 1, have a standard error of 0.003
#         in place of 0.577.
# So:     ask for 'knapp-hartung-conservative' or 'wald' by name; never compare a
#         posterior with PyMARE's default on few concordant studies.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check pymare==0.0.13 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import numpy as np
import pymare
from pymare import Dataset
from pymare.estimators import DerSimonianLaird

y, v = np.array([[0.10], [0.11], [0.10]]), np.ones((3, 1))
data = Dataset(y=y, v=v)
default = DerSimonianLaird().fit_dataset(data).summary()
plain = DerSimonianLaird(small_sample_correction="wald").fit_dataset(data).summary()
se = [float(np.ravel(one.get_fe_stats()["se"])[0]) for one in (default, plain)]
tau2 = float(np.ravel(default.tau2)[0])
print(f"PyMARE {pymare.__version__}: tau2 {tau2}, se by default {se[0]:.4f}, without correction {se[1]:.4f}")
assert tau2 == 0
assert abs(se[1] - 3**-0.5) < 1e-6
assert se[0] < 0.01
PY
