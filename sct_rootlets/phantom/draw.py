"""Drawing the anatomy of a neck at random.

Sources
-------
Positions of the entry zones: 14 subjects' rootlets measured from the PMJ; obliquity,
thickness and depths: rootlets of the PAM50 template; lengths: Kim et al. 2012; size of
cord and canal: PAM50. The figures are in ``docs/phantom.md``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.phantom.model import STEP_MM, Anatomy, Filament

__all__ = ["WIDTHS_MM", "random_anatomy"]

#: Extent of the modelled axis: from the pons above the PMJ to the upper thoracic cord.
FIRST_MM, LAST_MM = -70.0, 260.0

#: Mean position (mm from the PMJ) of the middle of the entry zone, and its length, by level.
#: C3-T1: 14 subjects; C1, C2, T2 and T3 are continued from their neighbours' spacing.
ENTRY_ZONES_MM = {
    SpinalLevel.C1: (25.5, 7.0),
    SpinalLevel.C2: (39.5, 9.5),
    SpinalLevel.C3: (54.1, 11.8),
    SpinalLevel.C4: (70.0, 9.7),
    SpinalLevel.C5: (86.5, 9.7),
    SpinalLevel.C6: (101.0, 9.2),
    SpinalLevel.C7: (115.5, 8.8),
    SpinalLevel.C8: (129.2, 9.0),
    SpinalLevel.T1: (143.7, 9.2),
    SpinalLevel.T2: (160.0, 8.5),
    SpinalLevel.T3: (180.0, 8.5),
}
#: Disc label below the middle of each entry zone, and by how much on average (mm): measured in
#: PAM50, whose cord is 1 / 0.93 times as long as that of the 14 subjects the zones come from.
DISC_BELOW_ENTRY_MM = {2: 10.8, 3: 6.8, 4: 8.6, 5: 10.0, 6: 11.2, 7: 12.0, 8: 13.8, 9: 17.6}
#: Obliquity (degrees from the plane across the cord) of dorsal and ventral rootlets in PAM50.
OBLIQUITY_DEG = {
    SpinalLevel.C1: (5, 10),
    SpinalLevel.C2: (25, 30),
    SpinalLevel.C3: (30, 50),
    SpinalLevel.C4: (33, 52),
    SpinalLevel.C5: (36, 55),
    SpinalLevel.C6: (40, 58),
    SpinalLevel.C7: (44, 62),
    SpinalLevel.C8: (50, 66),
    SpinalLevel.T1: (62, 70),
    SpinalLevel.T2: (68, 72),
    SpinalLevel.T3: (70, 74),
}
#: Half widths of the cord (left-right, dorsal-ventral) and of the dural sac, along the cord.
#: Columns: s_mm, cord LR, cord AP, sac LR, sac AP, dorsal offset of the sac.
WIDTHS_MM = np.array(
    [
        (-70, 9.0, 8.0, 13.0, 12.0, 0.0),
        (-5, 8.5, 7.0, 14.0, 13.0, 1.0),
        (8, 6.6, 5.6, 13.5, 12.0, 1.5),
        (20, 5.5, 4.5, 12.3, 10.0, 1.5),
        (35, 5.2, 3.9, 11.2, 8.3, 0.3),
        (50, 5.6, 3.8, 10.6, 7.4, -0.5),
        (70, 5.9, 3.8, 9.8, 7.0, -0.4),
        (90, 6.3, 3.8, 9.4, 6.7, -0.1),
        (105, 6.4, 3.7, 9.3, 6.4, 0.0),
        (120, 6.1, 3.5, 9.0, 6.3, -0.3),
        (135, 5.3, 3.25, 8.6, 6.4, -0.5),
        (150, 4.8, 3.1, 8.1, 6.6, -0.7),
        (180, 4.6, 3.1, 7.4, 6.4, -0.1),
        (260, 4.5, 3.1, 7.0, 6.3, 0.2),
    ]
)


def random_anatomy(seed: int) -> Anatomy:
    """Draw the anatomy of seed `seed`; the same seed gives the same anatomy."""
    rng = np.random.default_rng([seed, 1])
    s = np.arange(FIRST_MM, LAST_MM + STEP_MM / 2, STEP_MM)
    widths = _widths(s, rng)
    entries = _entry_zones(rng)
    bare = Anatomy(
        seed=seed,
        s_mm=s,
        xyz_world=_centerline(s, rng),
        **widths,
        cord_flatness=float(rng.uniform(-0.1, 0.25)),
        sac_power=float(rng.uniform(2.0, 3.0)),
        discs_mm=_discs(entries, rng),
        filaments=(),
        sleeves=(),
        neck_lr_mm=float(rng.uniform(52, 70)),
        neck_ap_mm=float(rng.uniform(55, 75)),
        skin_fat_mm=float(rng.uniform(3, 14)),
        vertebra_mm={
            "body_lr": float(rng.uniform(9, 12)),
            "body_ap": float(rng.uniform(13, 17)),
            "disc": float(rng.uniform(4, 6.5)),
            "lamina": float(rng.uniform(3.5, 5.5)),
            "spinous": float(rng.uniform(18, 32)),
            "artery": float(rng.uniform(1.4, 2.4)),
        },
    )
    fans = [fan for zone in entries.items() for fan in _fans(bare, *zone, rng)]
    threads = [thread for fan in fans for thread in fan]
    threads += _distractors(bare, entries, rng)
    sleeves = tuple(_sleeve(fan, rng) for fan in fans)
    return replace(bare, filaments=tuple(threads), sleeves=sleeves)


def _smooth_noise(
    s: NDArray[np.float64], rng: np.random.Generator, amplitude: float, every_mm: float
) -> NDArray[np.float64]:
    """Return a smooth random function of s (M,) that varies over `every_mm`."""
    knots = np.arange(s[0], s[-1] + every_mm, every_mm)
    values = rng.normal(0, amplitude, len(knots))
    position = (s - s[0]) / every_mm
    i = np.clip(position.astype(int), 0, len(knots) - 2)
    f = position - i
    f = f * f * (3 - 2 * f)  # smoothstep between the knots
    return values[i] * (1 - f) + values[i + 1] * f


def _centerline(s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Integrate random pitch and tilt angles to a curve, so that s is its arc length."""
    knots = np.array([FIRST_MM, 0, 40, 80, 120, 160, 200, LAST_MM])
    lordosis = rng.uniform(-0.6, 1.3)  # 1: textbook, below 0: kyphotic
    pitch = lordosis * np.array([12, 10, 8, 2, -8, -18, -20, -14.0])
    pitch += rng.normal(0, 6) + rng.normal(0, 2, len(knots))
    tilt = rng.normal(0, 2.5) + rng.normal(0, 1.2, len(knots))
    kernel = np.hanning(int(40 / STEP_MM))
    kernel /= kernel.sum()

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        fine = np.interp(s, knots, values)
        padded = np.pad(fine, len(kernel) // 2, mode="edge")
        return np.deg2rad(np.convolve(padded, kernel, mode="same"))[
            len(kernel) // 2 : len(kernel) // 2 + len(s)
        ]

    pitch_rad, tilt_rad = smooth(pitch), smooth(tilt)
    tangent = np.stack(
        [
            np.sin(tilt_rad),
            np.sin(pitch_rad) * np.cos(tilt_rad),
            -np.cos(pitch_rad) * np.cos(tilt_rad),
        ],
        axis=1,
    )
    xyz = np.concatenate([np.zeros((1, 3)), np.cumsum((tangent[1:] + tangent[:-1]) / 2, axis=0)])
    xyz *= STEP_MM
    middle = xyz[np.argmin(np.abs(s - 95))]  # C5/C6 near the origin of the world
    return xyz - middle + rng.normal(0, 5, 3)


def _widths(s: NDArray[np.float64], rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    stretch = rng.normal(1, 0.04)
    names = ("cord_lr_mm", "cord_ap_mm", "sac_lr_mm", "sac_ap_mm", "sac_offset_mm")
    table = {
        name: np.interp(s / stretch, WIDTHS_MM[:, 0], WIDTHS_MM[:, i + 1])
        for i, name in enumerate(names)
    }
    size, canal = rng.normal(1, 0.07), rng.normal(1, 0.08)
    for name in names[:2]:
        table[name] *= size * (1 + _smooth_noise(s, rng, 0.02, 15)) * rng.normal(1, 0.05)
    for name in names[2:4]:
        table[name] *= canal * (1 + _smooth_noise(s, rng, 0.04, 12))
    table["sac_offset_mm"] += rng.normal(0, 0.7) + _smooth_noise(s, rng, 0.4, 20)
    # The cord never touches more than one wall of its sac.
    table["sac_lr_mm"] = np.maximum(table["sac_lr_mm"], table["cord_lr_mm"] + 1.2)
    table["sac_ap_mm"] = np.maximum(
        table["sac_ap_mm"], table["cord_ap_mm"] + 0.9 + np.abs(table["sac_offset_mm"])
    )
    return table


def _entry_zones(rng: np.random.Generator) -> dict[SpinalLevel, tuple[float, float]]:
    """Draw rostral and caudal end of every entry zone, in mm from the PMJ.

    Neighbours' positions correlate at 0.94-0.99 in the 14 subjects, so most of the
    variation is one scale and one shift.
    """
    # A third of the subjects vary more than the 14 measured ones did.
    wide = 2.0 if rng.random() < 0.33 else 1.0
    scale, shift = rng.normal(1, 0.045 * wide), rng.normal(0, 1.5 * wide)
    zones: dict[SpinalLevel, tuple[float, float]] = {}
    floor = 5.0
    for level, (middle, length) in ENTRY_ZONES_MM.items():
        # The measured zones end where the rootlets' voxels end, at some depth and thickness;
        # the axes of the filaments leave the cord within a shorter stretch.
        half = 0.5 * (length - 2.0) * np.clip(rng.normal(scale, 0.11), 0.6, 1.4)
        centre = max(middle * scale + shift + rng.normal(0, 0.8), floor + half)
        zones[level] = (float(centre - half), float(centre + half))
        floor = centre + half + 1.5  # entry zones keep apart
    return zones


def _discs(
    entries: dict[SpinalLevel, tuple[float, float]], rng: np.random.Generator
) -> dict[int, float]:
    shift = rng.normal(0, 2.5)
    discs = {}
    for label, below in DISC_BELOW_ENTRY_MM.items():
        discs[label] = sum(entries[SpinalLevel(label)]) / 2 + below + shift + rng.normal(0, 1.0)
    for label in range(10, 14):
        discs[label] = discs[label - 1] + rng.normal(22.5, 1.2)
    discs[1] = discs[2] - rng.normal(22, 1.5)
    ordered = np.array([discs[label] for label in sorted(discs)])
    ordered = (
        ordered[1]
        + np.concatenate(  # vertebrae are at least 11 mm high
            [[-22.0, 0.0], np.cumsum(np.maximum(np.diff(ordered)[1:], 11.0))]
        )
    )
    return {label: float(s) for label, s in zip(sorted(discs), ordered, strict=True)}


def _on_surface(
    lr: NDArray[np.float64], ap: NDArray[np.float64], angle: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points (N, 2) of an ellipse and its outward normals (N, 2); angle 0 is dorsal."""
    point = np.stack([lr * np.sin(angle), ap * np.cos(angle)], axis=1)
    normal = np.stack([np.sin(angle) / lr, np.cos(angle) / ap], axis=1)
    return point, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _thread(
    anatomy: Anatomy,
    s_ends: tuple[float, float],
    angle_ends: tuple[float, float],
    depth_ends: tuple[float, float],
    sign: float,
    bow: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the axis (K, 3) of a thread around the cord, and its depths (K,).

    Position, angle around the cord (0 dorsal, pi ventral) and depth go from one end to
    the other; `bow` bends the path along the cord.
    """
    rough = abs(s_ends[1] - s_ends[0]) + abs(depth_ends[1] - depth_ends[0]) + 8.0
    t = np.linspace(0, 1, int(rough / 0.15))
    s = s_ends[0] + (s_ends[1] - s_ends[0]) * (t + bow * t * (1 - t))
    angle = angle_ends[0] + (angle_ends[1] - angle_ends[0]) * t
    depth = depth_ends[0] + (depth_ends[1] - depth_ends[0]) * t
    lr, ap = anatomy.at(anatomy.cord_lr_mm, s), anatomy.at(anatomy.cord_ap_mm, s)
    point, normal = _on_surface(lr, ap, angle)
    uv = point + normal * depth[:, None]
    return np.stack([s, sign * uv[:, 0], uv[:, 1]], axis=1), depth


def _room(anatomy: Anatomy, s: float, angle: float) -> float:
    """Return the distance (mm) from the cord's surface to the dura, along the normal."""
    at = np.array([s])
    point, normal = _on_surface(
        anatomy.at(anatomy.cord_lr_mm, at), anatomy.at(anatomy.cord_ap_mm, at), np.array([angle])
    )
    depths = np.linspace(0, 14, 141)
    path = point + normal * depths[:, None]
    inside = anatomy.in_sac(np.full(len(path), s), path[:, 0], path[:, 1])
    return float(depths[np.argmin(inside)]) if not inside.all() else 14.0


def _fans(
    anatomy: Anatomy,
    level: SpinalLevel,
    zone: tuple[float, float],
    rng: np.random.Generator,
) -> list[list[Filament]]:
    """Draw the filaments of one level: a fan on each side, dorsal and ventral."""
    fans = []
    for side, sign in ((Side.LEFT, 1.0), (Side.RIGHT, -1.0)):
        side_shift = rng.normal(0, 0.4)
        for sector in Sector:
            dorsal = sector is Sector.DORSAL
            if level is SpinalLevel.C1 and dorsal and rng.random() < 0.6:
                continue  # C1 often has no dorsal rootlets
            obliquity = OBLIQUITY_DEG[level][0 if dorsal else 1] + rng.normal(0, 4)
            shift = side_shift + rng.normal(0, 0.4)
            ends = (zone[0] + shift + rng.normal(0, 0.3), zone[1] + shift + rng.normal(0, 0.3))
            count = max(3, round((ends[1] - ends[0]) / rng.uniform(0.95, 1.7)) + 1)
            starts = np.linspace(*ends, count) + rng.normal(0, 0.15, count)
            starts[0], starts[-1] = ends
            out = np.deg2rad(rng.normal(100, 9) if dorsal else rng.normal(128, 7))
            sulcus = np.deg2rad(rng.normal(52, 6) if dorsal else rng.normal(142, 6))
            middle = float(np.mean(ends))
            room = _room(anatomy, middle, out)
            reach = max(room * rng.uniform(0.85, 1.1), 1.8)
            path = np.hypot(reach, 0.45 * abs(out - sulcus) * 5.0)
            descent = path * np.tan(np.deg2rad(np.clip(obliquity, 0, 74)))
            descent = min(descent, 13.0)
            gather = rng.uniform(0.15, 0.5)  # how far the fan stays open at the dura
            radius = rng.uniform(0.33, 0.55) if dorsal else rng.uniform(0.25, 0.42)
            bow = rng.normal(0, 0.15)
            fan = []
            for start in starts:
                finish = middle + descent + (start - middle) * gather + rng.normal(0, 0.15)
                points, depth = _thread(
                    anatomy,
                    (start, max(finish, start - 2.0)),
                    (sulcus + rng.normal(0, 0.03), out + rng.normal(0, 0.05)),
                    (rng.uniform(-0.3, 0.3), reach + rng.normal(0, 0.2)),
                    sign,
                    bow,
                )
                thickness = float(radius * rng.uniform(0.85, 1.15))
                fan.append(Filament(level, side, sector, thickness, points, depth))
            fans.append(fan)
    return fans


def _sleeve(fan: list[Filament], rng: np.random.Generator) -> Filament:
    """Return the sleeve of the sac that the middle filament of `fan` leaves through."""
    middle = fan[len(fan) // 2]
    end, before = middle.points_suv[-1], middle.points_suv[-12]
    outwards = (end - before) / np.linalg.norm(end - before)
    points = end + outwards * np.arange(-1.5, rng.uniform(0.0, 3.0), 0.15)[:, None]
    depth = np.full(len(points), middle.depth_mm[-1])
    return Filament(None, middle.side, middle.sector, float(rng.uniform(0.8, 1.7)), points, depth)


def _distractors(
    anatomy: Anatomy, entries: dict[SpinalLevel, tuple[float, float]], rng: np.random.Generator
) -> list[Filament]:
    """Draw what looks like rootlets and is none: vessels, denticulate ligament, septa."""
    filaments = []

    def add(s: tuple[float, float], angle: tuple[float, float], depth: tuple[float, float],
            sign: float, radius: float) -> None:  # fmt: skip
        points, depths = _thread(anatomy, s, angle, depth, sign)
        sector = Sector.DORSAL if angle[0] < np.pi / 2 else Sector.VENTRAL
        side = Side.LEFT if sign > 0 else Side.RIGHT
        filaments.append(Filament(None, side, sector, radius, points, depths))

    # Vessels along the cord: anterior spinal artery, posterior veins, and some at random.
    for _ in range(rng.integers(2, 14)):
        start = rng.uniform(0, 200)
        angle = rng.choice([0.0, np.pi, rng.uniform(0, np.pi)]) + rng.normal(0, 0.15)
        depth = rng.uniform(0.1, 2.5)
        run = rng.uniform(6, 45)
        add((start, start + run), (angle, angle + rng.normal(0, 0.25)),
            (depth, max(0.1, depth + rng.normal(0, 0.5))), rng.choice([-1.0, 1.0]),
            float(rng.uniform(0.15, 0.4)))  # fmt: skip
    # Septa and trabeculae from the cord straight to the dura, dorsal above all.
    for _ in range(rng.integers(0, 10)):
        start, angle = rng.uniform(0, 200), abs(rng.normal(0, 0.5))
        add((start, start + rng.normal(0, 2)), (angle, angle), (0.0, _room(anatomy, start, angle)),
            rng.choice([-1.0, 1.0]), float(rng.uniform(0.1, 0.3)))  # fmt: skip
    # Teeth of the denticulate ligament, between the levels, at the side of the cord.
    if rng.random() < 0.6:
        caudal = [zone[1] for zone in entries.values()]
        for end in caudal:
            for sign in (-1.0, 1.0):
                angle = np.pi / 2 + rng.normal(0, 0.06)
                at = end + rng.uniform(1, 4)
                add((at, at + rng.normal(0, 0.5)), (angle, angle),
                    (0.0, _room(anatomy, at, angle)), sign,
                    float(rng.uniform(0.1, 0.25)))  # fmt: skip
    return filaments
