#!/usr/bin/env bash
# lifelines: the number at risk in a Kaplan-Meier's event table is not the one its curve divides by.
#
# Guess:  event_table['at_risk'] is the denominator of the product-limit estimate.
# Seen:   with late entry it counts who enters at that very time, whom the estimate leaves out: 4
#         at risk, 2 events, and the curve falls to 1/3, not to 1/2. It also shows people at risk
#         at 0 who have not entered.
# So:     a number-at-risk row under a curve with late entry must not be taken from event_table;
#         R's summary(survfit) has 3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check lifelines==0.30.0 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import lifelines
from lifelines import KaplanMeierFitter

curve = KaplanMeierFitter().fit([5, 5, 8, 10], [1, 1, 1, 0], entry=[0, 0, 5, 0])
at_risk, survival = int(curve.event_table.at_risk.loc[5.0]), float(curve.predict(5.0))
print(f"lifelines {lifelines.__version__}: at risk {at_risk}, 2 events, S(5) = {survival:.4f}")
assert at_risk == 4
assert abs(survival - (1 - 2 / 3)) < 1e-12
PY
