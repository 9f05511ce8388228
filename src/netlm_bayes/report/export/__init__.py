"""Tables of a manuscript: made once, written as a workbook, a document or LaTeX."""
