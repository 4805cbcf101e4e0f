"""The ontology head: terms of a slim Gene Ontology, learnt from yeast alone."""

from __future__ import annotations

from glass_core.models.heads.classes import ClassesConfig, ClassesHead

CONFIG, NETWORK = ClassesConfig, ClassesHead
