import subprocess
import sys

import netlm_bayes

PUBLIC = [
    "Cohort",
    "Fit",
    "GateError",
    "InputError",
    "InputErrors",
    "Model",
    "NetlmBayesError",
    "NotConvergedError",
    "Prediction",
    "Reconstructed",
    "RunError",
    "Shared",
    "Simulated",
    "__version__",
    "audit",
    "fit",
    "pool",
    "read",
    "read_cohorts",
    "read_model",
    "reconstruct",
    "share",
    "simulate",
]


def test_public_names_are_these_and_all_exist():
    assert sorted(netlm_bayes.__all__) == dir(netlm_bayes) == PUBLIC
    assert all(getattr(netlm_bayes, name) is not None for name in netlm_bayes.__all__)


def test_importing_the_package_loads_no_pymc():
    code = "import sys, netlm_bayes; sys.exit('pymc' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
