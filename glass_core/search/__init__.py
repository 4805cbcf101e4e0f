"""Which sequences are like which."""
