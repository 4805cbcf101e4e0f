"""Properties of a whole protein, told by heads over sequence and structure."""
