"""Logistic regression with an L2 penalty, for the models whose weights are committed."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def fit(values: Array, labels: Array, ridge: float, importance: Array | None = None) -> list[float]:
    """Return the bias and the weight of each feature.

    values: one row per example, one column per feature. labels: 0 or 1. ridge: penalty of the squared weights of
    standardised features. importance: of each example, 1 on average.
    """
    importance = np.ones(len(labels)) if importance is None else importance
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale == 0] = 1.0
    matrix = np.hstack([np.ones((len(values), 1)), (values - mean) / scale])
    penalty = np.full(matrix.shape[1], ridge)
    penalty[0] = 0.0
    solution = np.zeros(matrix.shape[1])
    for _ in range(50):  # Newton's method
        probability = 1 / (1 + np.exp(-np.clip(matrix @ solution, -30, 30)))
        gradient = matrix.T @ (importance * (labels - probability)) - penalty * solution
        curvature = (matrix * (importance * probability * (1 - probability))[:, None]).T @ matrix + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        solution += step
        if np.abs(step).max() < 1e-8:
            break
    weights = solution[1:] / scale
    bias = solution[0] - (weights * mean).sum()
    return [round(float(weight), 4) for weight in (bias, *weights)]
