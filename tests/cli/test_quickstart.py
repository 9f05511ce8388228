"""The notebook of `examples/` runs from its first cell to its last, with its figures."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "quickstart.ipynb"
pytestmark = [
    pytest.mark.sampling,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the kernel's own libraries
]


def outputs(cell: nbformat.NotebookNode) -> set[str]:
    """Kinds of output that a cell shows."""
    return {kind for output in cell.outputs for kind in output.get("data", {})}


def test_the_quickstart_runs_and_shows_what_it_promises(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == 10
    shown = [outputs(cell) for cell in code]
    assert [place for place, kinds in enumerate(shown) if "image/png" in kinds] == [2, 3, 6]
    assert all("text/html" in shown[place] for place in (0, 1, 4, 5, 7, 8, 9))
    assert list(tmp_path.iterdir()) == []
