"""What is trained on: chains, pairs, assays, sequences, and how they are split."""
