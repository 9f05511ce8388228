#!/usr/bin/env bash
# pyreadstat writes SAS transport files that pandas cannot read and regulators do not take.
#
# Guess:  write_xport writes version 5, the one that submissions ask for and every reader knows.
# Seen:   the default is version 8: pandas says that it is no transport file at all.
# So:     pass file_format_version=5 when writing for others, and name version 8 in the message
#         when a file is refused.
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

table = pd.DataFrame({"USUBJID": ["01", "02"], "AVAL": [1.5, 2.5]})
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "adtte.xpt"
    pyreadstat.write_xport(table, str(path))
    first = path.read_bytes()[:80].decode("ascii")
    try:
        pd.read_sas(path, format="xport")
        said = "read"
    except ValueError as error:
        said = str(error)
    pyreadstat.write_xport(table, str(path), file_format_version=5)
    rows = len(pd.read_sas(path, format="xport"))
print(f"pyreadstat {pyreadstat.__version__} writes {first.strip()!r}")
print(f"pandas {pd.__version__}: {said}; version 5: {rows} rows")
assert "LIBV8" in first
assert "not an XPORT file" in said
assert rows == 2
PY
