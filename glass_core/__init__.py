"""GLASS: what a mutation does to a protein's structure.

The universal length unit is Å. Positions are 1-based in everything a user sees
and 0-based indices inside. NaN means 'no value', never 0.

Importing this package loads no model, no torch and no simulation engine.
"""

__version__ = "0.1.0"
