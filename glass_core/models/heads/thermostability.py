"""The head of thermostability: the temperature at which a protein unfolds in cells."""

from __future__ import annotations

from glass_core.models.heads.scalar import ScalarConfig, ScalarHead

CONFIG, NETWORK = ScalarConfig, ScalarHead
