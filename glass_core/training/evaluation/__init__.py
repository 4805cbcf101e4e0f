"""How good a model is on held-out rows, beside trivial baselines."""
