"""The ranking head: how near a structure is to the right one, as GDT_TS."""

from __future__ import annotations

from glass_core.models.heads.scalar import ScalarConfig, ScalarHead

CONFIG, NETWORK = ScalarConfig, ScalarHead
