"""The one page of a run: what it says, apart from how it looks."""

from netlm_bayes.report.page.page import render_page
from netlm_bayes.report.page.run import PageRun

__all__ = ["PageRun", "render_page"]
