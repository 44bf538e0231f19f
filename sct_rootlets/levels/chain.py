"""The chain of borders between levels: a template bent to what the rootlets show.

A border between neighbouring levels is one node of a chain; its deviation from the
template is a random walk along the chain. The best chain is found by dynamic programming
(Viterbi 1967, IEEE Trans Inf Theory 13), and the spread of every border by sums over all
chains (forward-backward), each for a range of scales of the template.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.levels import population

__all__ = ["settle_borders"]

Floats = NDArray[np.float64]

#: Steps and limit of a border's deviation from the template, mm.
DEVIATION_MM = np.arange(-14.0, 14.01, 0.5)


def settle_borders(
    at: Floats,
    cost: Floats,
    template: Floats,
    centre: float,
    scale_sd: float,
    shift_sd: float = population.DISC_TO_LEVEL_SD_MM,
) -> tuple[Floats, Floats, float]:
    """Return the most probable borders (9,), their spread (9,), and the stretch.

    Parameters
    ----------
    at, cost : (M,) arrays
        Positions along the cord (mm), and what a border there costs (natural logarithm);
        outside `at` it costs nothing.
    template : (9,) array
        Borders between C1, C2, ..., T1, T2 as the discs alone place them, mm.
    centre : float
        Middle of the discs, about which the template is stretched, mm.
    scale_sd : float
        Relative spread of the template's scale.
    shift_sd : float
        Spread of the border nearest the discs about its place in the template, mm.
    """
    d = DEVIATION_MM
    walk = -0.5 * ((d[:, None] - d) / population.CAUDAL_TO_CAUDAL_SD_MM) ** 2
    anchor = int(np.argmin(np.abs(template - centre)))
    start = -0.5 * (d / shift_sd) ** 2
    best: tuple[float, Floats, float] | None = None
    weights, means, squares = [], [], []
    for z in np.linspace(-2.5, 2.5, 11):
        stretch = 1 + z * scale_sd
        middle = centre + (template - centre) * stretch
        place = middle[:, None] + d
        own = -np.interp(place, at, cost, left=0, right=0)
        own[anchor] += start
        value, path = _most_probable(own, walk)
        value -= 0.5 * z * z
        if best is None or value > best[0]:
            best = (value, middle + d[path], stretch)
        total, share = _marginals(own, walk)
        weights.append(total - 0.5 * z * z)
        means.append((share * place).sum(axis=1))
        squares.append((share * place**2).sum(axis=1))
    assert best is not None  # the loop above runs
    weight = np.exp(np.array(weights) - max(weights))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    spread = np.sqrt(np.maximum(weight @ np.array(squares) - mean**2, 0.0))
    # The borders keep their order even where the random walk would cross.
    return np.maximum.accumulate(best[1]), spread, best[2]


def _most_probable(own: Floats, walk: Floats) -> tuple[float, NDArray[np.int64]]:
    """Return the best sum along the chain and its states (Viterbi), (K,)."""
    score, back = own[0], []
    for node in own[1:]:
        options = score[:, None] + walk
        back.append(options.argmax(axis=0))
        score = options.max(axis=0) + node
    path = [int(score.argmax())]
    for pointer in reversed(back):
        path.append(int(pointer[path[-1]]))
    return float(score.max()), np.array(path[::-1])


def _marginals(own: Floats, walk: Floats) -> tuple[float, Floats]:
    """Return log of the summed probability, and the share of every state, (K, D)."""

    def passed(message: Floats, table: Floats) -> Floats:
        top = message.max()
        return np.asarray(top + np.log(np.exp(message - top) @ np.exp(table) + 1e-300))

    forward, backward = [own[0]], [np.zeros(own.shape[1])]
    for node in own[1:]:
        forward.append(passed(forward[-1], walk) + node)
    for node in own[:0:-1]:
        backward.append(passed(backward[-1] + node, walk.T))
    joint = np.array(forward) + np.array(backward[::-1])
    top = joint.max(axis=1, keepdims=True)
    share = np.exp(joint - top)
    total = float(top[0, 0] + np.log(share[0].sum()))
    return total, share / share.sum(axis=1, keepdims=True)
