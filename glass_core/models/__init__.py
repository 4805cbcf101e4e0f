"""Models: cards, files, heads, and the predictor that applies them."""
