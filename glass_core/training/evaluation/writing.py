"""Evaluation records as files: what each of them begins with, and how it is written."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glass_core.models.evaluation import EVALUATION_FORMAT
from glass_core.training.loop import git_revision


def record_frame(model: Mapping[str, Any], side: str, packages: Sequence[str]) -> dict[str, Any]:
    """What records of one run begin with: of which model and side, by which code.

    Parameters
    ----------
    packages : sequence of str
        Whose versions are told.
    """
    return {
        "format": EVALUATION_FORMAT,
        "model": dict(model),
        "side": side,
        "git_revision": git_revision(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def write_evaluation(path: Path, record: Mapping[str, Any]) -> Path:
    """Write a record, which holds no NaN, into a folder that is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(record), allow_nan=False, separators=(",", ":")) + "\n")
    return path
