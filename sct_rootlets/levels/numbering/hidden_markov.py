"""The borders between levels as a hidden Markov chain: a template bent to what rootlets show.

The hidden states of a border between neighbouring levels are its deviations from the template.
An emission is what the rootlets say of a border there; a transition is a random walk of the
deviation, and the room between two borders for the rootlets of one level, whose entry zone is
about as long as that of the template: rootlets that take up more of the cord than that count
against the pair. The best path is found by dynamic programming (Viterbi 1967, IEEE Trans Inf
Theory 13), and the spread of every border by sums over all paths (forward-backward), each for a
range of scales of the template.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.levels.numbering.evidence import BorderEvidence
from sct_rootlets.levels.population import reference_data

__all__ = ["settle_borders"]

Floats = NDArray[np.float64]

#: Steps and limit of a border's deviation from the template, mm.
DEVIATION_MM = np.arange(-14.0, 14.01, 0.5)
#: Spread of how far the rootlets of a level take up more of the cord than its zone in the
#: template, mm: that of zones between people, and the reading of both ends.
LENGTH_SD_MM = float(np.hypot(reference_data.ZONE_LENGTH_SD_MM, 1.0))


def settle_borders(
    evidence: BorderEvidence,
    template: Floats,
    zone_mm: Floats,
    centre: float,
    scale_sd: float,
    shift_sd: float = reference_data.DISC_TO_LEVEL_SD_MM,
) -> tuple[Floats, Floats, float]:
    """Return the most probable borders (9,), their spread (9,), and the stretch.

    Parameters
    ----------
    evidence : BorderEvidence
        What a border costs at every position, and how much of the cord rootlets take up.
    template : (9,) array
        Borders between C1, C2, ..., T1, T2 as the discs alone place them, mm.
    zone_mm : (8,) array
        Length of the entry zones of C2 to T1 at the template's scale.
    centre : float
        Middle of the discs, about which the template is stretched, mm.
    scale_sd : float
        Relative spread of the template's scale.
    shift_sd : float
        Spread of the border nearest the discs about its place in the template, mm.
    """
    d = DEVIATION_MM
    walk = -0.5 * ((d[:, None] - d) / reference_data.CAUDAL_TO_CAUDAL_SD_MM) ** 2
    anchor = int(np.argmin(np.abs(template - centre)))
    start = -0.5 * (d / shift_sd) ** 2
    best: tuple[float, Floats, float] | None = None
    weights, means, squares = [], [], []
    for z in np.linspace(-2.5, 2.5, 11):
        stretch = 1 + z * scale_sd
        middle = centre + (template - centre) * stretch
        place = middle[:, None] + d
        emission = -np.interp(place, evidence.at, evidence.cost, left=0, right=0)
        emission[anchor] += start
        transition = walk - _crowding(evidence, place, zone_mm * stretch)
        value, path = _viterbi(emission, transition)
        value -= 0.5 * z * z
        if best is None or value > best[0]:
            best = (value, middle + d[path], stretch)
        total, share = _marginals(emission, transition)
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


def _crowding(evidence: BorderEvidence, place: Floats, zone_mm: Floats) -> Floats:
    """Return what it costs that rootlets between two borders take up more than one zone.

    `place` (9, D) has the positions that every border may take, mm; the costs (8, D, D) are by
    level, place of its rostral and of its caudal border, summed over sides and sectors.

    With the excess x over `zone_mm`, in units of `LENGTH_SD_MM`, it is x^2 / 2 up to 1 and
    x - 1/2 from there on (Huber 1964, Ann Math Statist 35:73): where rootlets join all along
    the cord, no pair of borders is right, and the template decides.
    """
    cost = np.zeros((len(zone_mm), place.shape[1], place.shape[1]))
    for tissue_mm in evidence.tissue_mm:
        before = np.interp(place, evidence.at, tissue_mm)
        held = before[1:, None, :] - before[:-1, :, None]
        excess = np.clip(held - zone_mm[:, None, None], 0, None) / LENGTH_SD_MM
        cost += np.where(excess < 1, 0.5 * excess**2, excess - 0.5)
    return cost


def _viterbi(emission: Floats, transition: Floats) -> tuple[float, NDArray[np.int64]]:
    """Return the log probability of the best path, up to a constant, and its states (K,).

    `emission` (K, D) is the logarithm of what every state of every border adds, `transition`
    (K - 1, D, D) of what a pair of states of neighbouring borders does.
    """
    score, back = emission[0], []
    for node, step in zip(emission[1:], transition, strict=True):
        options = score[:, None] + step
        back.append(options.argmax(axis=0))
        score = options.max(axis=0) + node
    path = [int(score.argmax())]
    for pointer in reversed(back):
        path.append(int(pointer[path[-1]]))
    return float(score.max()), np.array(path[::-1])


def _marginals(emission: Floats, transition: Floats) -> tuple[float, Floats]:
    """Return the log of the summed probability of all paths, and every state's share (K, D)."""

    def passed(message: Floats, step: Floats) -> Floats:
        top = message.max()
        return np.asarray(top + np.log(np.exp(message - top) @ np.exp(step) + 1e-300))

    forward, backward = [emission[0]], [np.zeros(emission.shape[1])]
    for node, step in zip(emission[1:], transition, strict=True):
        forward.append(passed(forward[-1], step) + node)
    for node, step in zip(emission[:0:-1], transition[::-1], strict=True):
        backward.append(passed(backward[-1] + node, step.T))
    joint = np.array(forward) + np.array(backward[::-1])
    top = joint.max(axis=1, keepdims=True)
    share = np.exp(joint - top)
    total = float(top[0, 0] + np.log(share[0].sum()))
    return total, share / share.sum(axis=1, keepdims=True)
