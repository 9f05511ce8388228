"""The deliberate errors of `tools/mutants.py` can still be made."""

from tools.mutants import faults, mutants


def test_the_text_of_every_deliberate_error_stands_once_in_its_file():
    found = mutants()
    assert len({mutant.name for mutant in found}) == 42
    assert list(faults(found)) == []
