"""Many variants of proteins: the stream of outcomes, the table, and what was asked for."""
