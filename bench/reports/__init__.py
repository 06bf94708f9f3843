"""Reports of a bench run, one file each, found by `tinyml.bench.report.reports`."""
