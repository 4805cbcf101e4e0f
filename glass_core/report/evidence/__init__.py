"""How good a model is, for a reader: tables, figures and words from its evaluation records."""
