"""The report of a project as one self-contained page: what lies below a results folder, for people to explore."""
