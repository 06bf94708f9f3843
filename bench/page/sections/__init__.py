"""Sections of the page, one file each, found by `tinyml.bench.page.section.sections`."""
