"""One protein and one variant in, one `Impact` out; its table and its JSON."""
