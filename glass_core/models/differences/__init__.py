"""Many mutants of one wild type by their differences to it."""
