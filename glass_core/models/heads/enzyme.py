"""The enzyme head: numbers of the Enzyme Commission, of the third level and the fourth."""

from __future__ import annotations

from glass_core.models.heads.classes import ClassesConfig, ClassesHead

CONFIG, NETWORK = ClassesConfig, ClassesHead
