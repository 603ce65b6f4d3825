"""The offline HTML report: a table of results in, one page out, the same bytes every time."""
