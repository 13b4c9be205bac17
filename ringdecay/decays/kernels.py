"""The innermost loops of generalised least squares, compiled: the state of a few series stays in the cache while all points pass.

Each number is made by the same operations in the same order as with whole arrays, so results are the same to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.compiled import compiled

Array = npt.NDArray[Any]

#: So many series are filtered side by side; with four columns their state takes 20 kB, half of a core's first-level cache.
SIDE_BY_SIDE = 128


@compiled(error_model="numpy")
def filter_grid(
    columns: Array, phi: Array, variance: Array, own: Array, noise: Array, valid: Array, log_every: int, sums: Array, products: Array
) -> None:
    """Run the filter of a first-order process over the points of every series at every node of a grid.

    Parameters
    ----------
    columns : ndarray, shape (columns, points, series)
        Columns of the design, and the data.
    phi : ndarray, shape (points, theta, series)
        Correlation of each point with the one before; that of the first is not used.
    variance, own : ndarray, shape (sigma, series)
        Variance of the process, and of what is each point's own.
    noise : ndarray, shape (points, series)
        Variance of the noise.
    valid : ndarray of bool, shape (points, series)
        Which points there are.
    log_every : int
        After so many points the product of the innovations' variances begins anew, before it overflows.
    sums : ndarray, shape (columns, columns, theta, sigma, series)
        Upper half set to the sums of the products of the whitened columns.
    products : ndarray, shape (points // log_every + 1, theta, sigma, series)
        Set to the products of the innovations' variances.
    """
    n_columns, n_points, n_series = columns.shape
    width = min(SIDE_BY_SIDE, n_series)
    p, inverse, gain, product = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    mean, v = np.empty((n_columns, width)), np.empty((n_columns, width))
    total = np.empty((n_columns, n_columns, width))
    for begin in range(0, n_series, width):
        n = min(width, n_series - begin)
        for a in range(phi.shape[1]):
            for b in range(variance.shape[0]):
                its_variance, its_own = variance[b, begin : begin + n], own[b, begin : begin + n]
                mean[:] = 0.0
                total[:] = 0.0
                product[:] = 1.0
                for s in range(n):
                    p[s] = its_variance[s]
                part = 0
                for k in range(n_points):
                    if k > 0:
                        correlation = phi[k, a, begin : begin + n]
                        for c in range(n_columns):
                            for s in range(n):
                                mean[c, s] = mean[c, s] * correlation[s]
                        for s in range(n):
                            p[s] = (p[s] - its_variance[s]) * (correlation[s] * correlation[s]) + its_variance[s]
                    its_noise, here = noise[k, begin : begin + n], valid[k, begin : begin + n]
                    for s in range(n):
                        innovation_variance = p[s] + (its_own[s] + its_noise[s])
                        product[s] = product[s] * (innovation_variance if here[s] else 1.0)
                        inverse[s] = (1.0 if here[s] else 0.0) / innovation_variance
                        gain[s] = p[s] * inverse[s]
                    if k % log_every == log_every - 1:
                        for s in range(n):
                            products[part, a, b, begin + s] = product[s]
                            product[s] = 1.0
                        part += 1
                    for c in range(n_columns):
                        column = columns[c, k, begin : begin + n]
                        for s in range(n):
                            v[c, s] = column[s] - mean[c, s]
                            mean[c, s] = mean[c, s] + gain[s] * v[c, s]
                    for s in range(n):
                        p[s] = p[s] - gain[s] * p[s]
                    for i in range(n_columns):
                        for j in range(i, n_columns):
                            for s in range(n):
                                total[i, j, s] = total[i, j, s] + (v[i, s] * inverse[s]) * v[j, s]
                for s in range(n):
                    products[part, a, b, begin + s] = product[s]
                for i in range(n_columns):
                    for j in range(i, n_columns):
                        for s in range(n):
                            sums[i, j, a, b, begin + s] = total[i, j, s]


@compiled(error_model="numpy")
def filter_models(
    columns: Array, phi: Array, variance: Array, noise: Array, nugget: Array, valid: Array, products: Array, totals: Array
) -> None:
    """Run the filter over the points of every series for many error models.

    Parameters
    ----------
    columns : ndarray, shape (columns, points, series)
        What is whitened.
    phi : ndarray, shape (points, models, series)
        Correlation of each point with the one before; that of the first is not used.
    variance, nugget : ndarray, shape (models, series)
        Variance of the process, and what is added to the noise.
    noise : ndarray, shape (points, series)
        Variance of the noise.
    valid : ndarray of bool, shape (points, series)
        Which points there are.
    products : ndarray, shape (columns, columns, models, series)
        Upper half set to the sums of the products of the whitened columns.
    totals : ndarray, shape (points, models, series)
        Set to the innovations' variances, 1 where there is no point.
    """
    n_columns, n_points, n = columns.shape
    p, inverse, gain = np.empty(n), np.empty(n), np.empty(n)
    mean, v = np.empty((n_columns, n)), np.empty((n_columns, n))
    total = np.empty((n_columns, n_columns, n))
    for m in range(variance.shape[0]):
        mean[:] = 0.0
        total[:] = 0.0
        for s in range(n):
            p[s] = variance[m, s]
        for k in range(n_points):
            if k > 0:
                for c in range(n_columns):
                    for s in range(n):
                        mean[c, s] = mean[c, s] * phi[k, m, s]
                for s in range(n):
                    p[s] = (p[s] - variance[m, s]) * (phi[k, m, s] * phi[k, m, s]) + variance[m, s]
            for s in range(n):
                of_innovation = p[s] + (noise[k, s] + nugget[m, s])
                of_innovation = of_innovation if valid[k, s] & (of_innovation > 0.0) else 1.0
                totals[k, m, s] = of_innovation
                inverse[s] = (1.0 if valid[k, s] else 0.0) / of_innovation
                gain[s] = p[s] * inverse[s]
            for c in range(n_columns):
                for s in range(n):
                    v[c, s] = columns[c, k, s] - mean[c, s]
                    mean[c, s] = mean[c, s] + v[c, s] * gain[s]
            for s in range(n):
                p[s] = p[s] - gain[s] * p[s]
            for i in range(n_columns):
                for j in range(i, n_columns):
                    for s in range(n):
                        total[i, j, s] = total[i, j, s] + (v[i, s] * inverse[s]) * v[j, s]
        for i in range(n_columns):
            for j in range(i, n_columns):
                for s in range(n):
                    products[i, j, m, s] = total[i, j, s]
