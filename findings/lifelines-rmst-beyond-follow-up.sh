#!/usr/bin/env bash
# lifelines: restricted mean survival beyond the last follow-up, without a word.
#
# Guess:  a horizon after the last observed time raises, or gives NaN: the curve is not defined
#         there.
# Seen:   the curve is held at its last value for ever: five patients followed for at most 5
#         months have a mean of 21.2 of the first 50 months.
# So:     compare horizons with the last time yourself before calling
#         restricted_mean_survival_time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check lifelines==0.30.0 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import warnings

import lifelines
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time as rmst

curve = KaplanMeierFitter().fit([1, 2, 3, 4, 5], [1, 1, 1, 0, 0])
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    within, beyond = rmst(curve, t=5), rmst(curve, t=50)
print(f"lifelines {lifelines.__version__}: of 5 months {within:.1f}, of 50 months {beyond:.1f}; {len(said)} warnings")
assert abs(beyond - (within + 0.4 * 45)) < 1e-9
assert not said
PY
