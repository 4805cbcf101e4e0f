"""F-max: how well chances of many classes name those that a protein has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STEPS = 100
"""Thresholds that are tried, from 0.01 to 1."""


class Best(NamedTuple):
    """F-max and the threshold at which it is reached; NaN and NaN where nothing is."""

    value: float
    threshold: float


@dataclass(frozen=True, eq=False)
class Calling:
    """Of each protein and threshold, how it is called.

    Attributes
    ----------
    called : ndarray, shape=(n, STEPS), dtype=bool
        Whether any class is predicted.
    precision, recall : ndarray, shape=(n, STEPS)
        Share of the predicted classes that it has, 0 without any; of its classes, predicted.
    """

    called: NDArray[np.bool_]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    def best(self, rows: NDArray[np.integer] | None = None) -> Best:
        """F-max over some of the proteins, drawn with repetition perhaps; by default all."""
        take = slice(None) if rows is None else rows
        called = self.called[take].sum(axis=0)
        if not len(self.recall[take]) or not called.any():
            return Best(float("nan"), float("nan"))
        precision = self.precision[take].sum(axis=0) / np.maximum(called, 1)
        recall = self.recall[take].mean(axis=0)
        value = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        step = int(value.argmax())
        return Best(float(value[step]), (step + 1) / STEPS)


def calling(chance: NDArray[np.floating], label: NDArray[np.floating]) -> Calling:
    """How proteins are called at each threshold.

    Parameters
    ----------
    chance, label : ndarray, shape=(n, C)
        Chances, and 1 where a protein has the class; each has one at least.
    """
    has = np.asarray(label) > 0
    own = has.sum(axis=1)
    shape = (len(has), STEPS)
    called, precision, recall = np.zeros(shape, bool), np.zeros(shape), np.zeros(shape)
    for step in range(STEPS):
        wanted = np.asarray(chance) >= (step + 1) / STEPS
        count, right = wanted.sum(axis=1), (wanted & has).sum(axis=1)
        called[:, step] = count > 0
        precision[:, step] = right / np.maximum(count, 1)
        recall[:, step] = right / np.maximum(own, 1)
    return Calling(called, precision, recall)


def f_max(chance: NDArray[np.floating], label: NDArray[np.floating]) -> Best:
    """The best F1 over thresholds, centred on proteins.

    At each threshold, precision is the mean over the proteins with at least one prediction, and
    recall that over all; as in CAFA (Radivojac et al., Nat. Methods 10, 221 (2013)).

    Parameters
    ----------
    chance, label : ndarray, shape=(n, C)
        Chances, and 1 where a protein has the class; each has one at least.

    Examples
    --------
    >>> import numpy as np
    >>> from glass_core.metrics.functions import f_max
    >>> f_max(np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([[1, 0], [0, 1]]))
    Best(value=1.0, threshold=0.41)
    """
    return calling(chance, label).best()
