from __future__ import annotations

import subprocess
import sys

import netlm_bayes


def test_public_names_are_these_and_all_exist():
    assert sorted(netlm_bayes.__all__) == [
        "GateError",
        "InputError",
        "Job",
        "ModelSpec",
        "NetlmBayesError",
        "RunError",
        "analyse",
        "audit_cohorts",
        "fit",
        "read_cohort",
        "read_cohorts",
        "read_model",
        "read_posterior",
        "read_tables",
    ]
    assert all(getattr(netlm_bayes, name) is not None for name in netlm_bayes.__all__)


def test_importing_the_package_loads_no_pymc():
    code = "import sys, netlm_bayes; sys.exit('pymc' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
