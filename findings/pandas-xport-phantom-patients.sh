#!/usr/bin/env bash
# pandas reads patients that are not there from a SAS transport file of text columns.
#
# Guess:  read_sas(format='xport') gives as many rows as were written, or drops blank ones at the
#         end.
# Seen:   the blanks that pad the file to 80 bytes become rows where a record is shorter than the
#         padding: 41 patients with a response of two letters are 44 patients, three of them
#         blank. pyreadstat reads 41. With a numeric column in the record the count is right.
# So:     read transport files with pyreadstat, or refuse rows that are blank throughout.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(sh "$(dirname "$0")/../tools/find-python")" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check pyreadstat==1.3.7 'numpy==2.5.5' 'pandas==3.1.1'
"$work/env/bin/python" -W ignore - <<'PY'
import tempfile
from pathlib import Path

import pandas as pd
import pyreadstat

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "response.xpt"
    table = pd.DataFrame({"AVALC": ["PR"] * 41})
    pyreadstat.write_xport(table, str(path), file_format_version=5)
    ours, theirs = pyreadstat.read_xport(str(path))[0], pd.read_sas(path, format="xport")
    pyreadstat.write_xport(table.assign(AVAL=1.0), str(path), file_format_version=5)
    with_number = pd.read_sas(path, format="xport")
print(f"written 41; pyreadstat {pyreadstat.__version__} reads {len(ours)}, pandas {pd.__version__} {len(theirs)}")
print(f"the last ones: {theirs['AVALC'].tail(3).tolist()}; with a number beside them {len(with_number)}")
assert (len(ours), len(theirs), len(with_number)) == (41, 44, 41)
PY
