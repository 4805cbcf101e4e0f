"""One space of sequences and structures: a tower for each, and what reads structures for theirs."""
