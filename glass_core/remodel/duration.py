"""How long remodelling takes, told before it begins."""

from __future__ import annotations

from glass_core.remodel.base import ProtocolName

_ANNEAL = 2.9
"""Times as long as ``minimise``; 82 s and 28 s for 147 residues with two seeds."""


def remodel_seconds(residues: int, seeds: int = 1, protocol: ProtocolName = "minimise") -> float:
    """Seconds that remodelling a variant and its noise floor will take, about.

    With OpenMM on two cores: it came true within a factor of two for nine chains of 70 to 566
    residues, beside other work on the same cores.
    """
    return seeds * (2 + 0.011 * residues**1.5) * (_ANNEAL if protocol == "anneal" else 1)
