"""The figures of ``docs/validation.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.degrade import degrade, draw_strength
from benchmarks.phantom_masks import PROOF, rendered
from benchmarks.phantom_tables import standardised
from benchmarks.phantoms import Result, errors, methods

__all__ = ["draw_coverage", "draw_errors", "draw_masks"]

OWN_COLOUR, OTHER_COLOURS = "#0b5fa5", ("#f2a65a", "#d9742b", "#a84a12")


def draw_errors(by_condition: Mapping[str, Sequence[Result]], path: Path) -> None:
    """Draw the share of caudal borders that are off by no more than a distance."""
    plt = _pyplot()

    fig, axes = plt.subplots(1, len(by_condition), figsize=(9, 3.6), squeeze=False, sharey=True)
    for axis, (condition, results) in zip(axes[0], by_condition.items(), strict=True):
        names = methods(results)
        colours = [OWN_COLOUR, *OTHER_COLOURS]
        for name, colour in zip(names, colours, strict=False):
            size = np.abs(errors(results, name, "caudal"))
            share = np.linspace(0, 100, 301)
            if len(size):
                axis.plot(np.percentile(size, share), share, color=colour, label=name)
        axis.set(xscale="log", xlim=(0.03, 60), ylim=(0, 101), title=f"{condition} masks")
        axis.set_xlabel("error of a caudal border, mm")
        axis.set_xticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("borders, %")
    if any(by_condition.values()):
        axes[0][0].legend(frameon=False, fontsize=8, loc="lower right")
    else:
        fig.suptitle("not measured")
    fig.tight_layout()
    fig.savefig(path, metadata=_no_date(path))
    plt.close(fig)


def draw_coverage(by_condition: Mapping[str, Sequence[Result]], path: Path) -> None:
    """Draw how often the truth lies within an interval against how often it should."""
    plt = _pyplot()
    from scipy.stats import norm

    nominal = np.linspace(0.02, 0.995, 80)
    limits = norm.ppf((1 + nominal) / 2)
    groups = {"measured": ("measured",), "others": ("estimated", "interpolated", "extrapolated")}
    fig, axis = plt.subplots(figsize=(4.6, 4.4))
    drawn = False
    for condition, results in by_condition.items():
        for name, statuses in groups.items():
            z, _ = standardised(results, "caudal", statuses)
            if len(z) < 20:
                continue
            observed = np.mean(np.abs(z)[:, None] <= limits, axis=0)
            colour = OWN_COLOUR if condition == "perfect" else OTHER_COLOURS[1]
            line = "-" if name == "measured" else "--"
            label = f"{condition}, {name} (n = {len(z)})"
            axis.plot(100 * nominal, 100 * observed, line, color=colour, label=label)
            drawn = True
    axis.plot([0, 100], [0, 100], color="0.4", lw=0.8)
    axis.fill_between([0, 100], [-5, 95], [5, 105], color="0.9", lw=0)
    axis.set(xlim=(0, 100), ylim=(0, 100), xlabel="stated, %", ylabel="observed, %")
    if drawn:
        axis.legend(frameon=False, fontsize=8, loc="lower right")
    else:
        axis.set_title("not measured")
    fig.tight_layout()
    fig.savefig(path, metadata=_no_date(path))
    plt.close(fig)


def draw_masks(path: Path, seed: int = PROOF + 3) -> None:
    """Draw perfect and degraded masks of one phantom, seen from behind and from the left."""
    plt = _pyplot()

    masks = rendered(seed, 0.8)
    rng = np.random.default_rng([seed, 7])
    worse = degrade(masks.rootlets, masks.cord, rng, draw_strength(rng))
    fig, axes = plt.subplots(1, 4, figsize=(6.5, 6), sharey=True)
    for n, (rootlets, cord) in enumerate(((masks.rootlets, masks.cord), worse)):
        for axis, x in zip(axes[2 * n : 2 * n + 2], (0, 1), strict=True):
            points = cord.points_world()[::5]
            axis.plot(points[:, x], points[:, 2], ".", ms=0.6, color="0.8", rasterized=True)
            for value in rootlets.labels:
                points = rootlets.points_world(value)
                colour = plt.get_cmap("tab10")(value % 10)
                axis.plot(points[:, x], points[:, 2], ".", ms=1.2, color=colour, rasterized=True)
            axis.set_aspect("equal")
            axis.locator_params(axis="x", nbins=3)
            axis.set_xlabel("left - right, mm" if x == 0 else "back - front, mm")
    axes[0].set_ylabel("mm")
    axes[0].set_title("perfect", loc="left")
    axes[2].set_title("degraded", loc="left")
    fig.tight_layout()
    fig.savefig(path, dpi=110, metadata=_no_date(path))
    plt.close(fig)


def _pyplot() -> Any:
    """Return pyplot, set so that the same results give the same file."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "levels"
    from matplotlib import pyplot

    return pyplot


def _no_date(path: Path) -> dict[str, None] | None:
    """Keep the date out of the file, so that the same results give the same file."""
    return {"Date": None} if path.suffix == ".svg" else None
