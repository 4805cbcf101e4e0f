"""The command line, ``python -m glass_core``: parse, check, one call, present."""
