"""Published and measured numbers about spinal levels, as data with their sources.

Positions are in mm along the cord, caudal-positive.
"""

from __future__ import annotations

from types import MappingProxyType

from sct_rootlets.anatomy import SpinalLevel

__all__ = [
    "C1_GAP_SD_MM",
    "CAUDAL_TO_CAUDAL_SD_MM",
    "COHORT_SCALE",
    "COHORT_SCALE_SD",
    "COHORT_ZONES_MM",
    "DISC_TO_LEVEL_SD_MM",
    "EDGE_SLOPE",
    "FROSTELL_PERCENT",
    "GAP_SD_MM",
    "MM_PER_PERCENT",
    "PAM50_DISCS_MM",
    "PAM50_ZONES_MM",
    "PMJ_TO_C3_PER_SCALE_MM",
    "PMJ_TO_C3_SD_MM",
    "SCALE_SD",
    "SEGMENT_SD_SHARE",
    "SLOPE",
    "ZONE_LENGTH_SD_MM",
    "ZONE_SHARE",
]

_L = SpinalLevel

#: Length of every spinal level in per cent of the cord's length: Frostell et al. 2016,
#: Frontiers in Neurology 7:238, Table 3.
FROSTELL_PERCENT = MappingProxyType(
    dict(
        zip(
            _L,
            (
                *(1.6, 2.2, 3.5, 3.5, 3.5, 3.3, 3.2, 3.4, 3.6, 3.9, 4.4, 5.0, 5.1, 5.6, 5.6),
                *(5.4, 5.1, 4.7, 4.3, 3.9, 3.6, 2.8, 2.4, 2.2, 1.7, 1.5, 1.6, 1.4, 1.3, 0.9),
            ),
            strict=True,
        )
    )
)

#: Rostral and caudal end of the entry zones, mm from the pontomedullary junction: means of
#: 14 subjects (data/cadotte of ivadomed/model-spinal-rootlets, r20231108; Cadotte et al.
#: 2015, AJNR 36:803). C2 was not measured there; it continues C3-C4 rostrally, with the
#: length that Frostell et al. give it.
COHORT_ZONES_MM = MappingProxyType(
    {
        _L.C2: (34.8, 44.2),
        _L.C3: (48.2, 59.9),
        _L.C4: (65.2, 74.9),
        _L.C5: (81.6, 91.3),
        _L.C6: (96.4, 105.6),
        _L.C7: (111.1, 119.9),
        _L.C8: (124.7, 133.7),
        _L.T1: (139.1, 148.3),
    }
)
#: Spread between the same 14 subjects of one level's length, caudal end to caudal end, once
#: each subject's own scale is taken out, mm.
CAUDAL_TO_CAUDAL_SD_MM = 1.7
#: What is left between them of the spread of an entry zone's length, and of the gap below it,
#: once the scale of C3-T1 is taken out, mm: root mean squares of seven lengths and six gaps.
#: Neighbours correlate no more than chance has it. The reading of the ends is in it: fourteen
#: people are few, and a spread that is a little wide errs on the safe side.
ZONE_LENGTH_SD_MM, GAP_SD_MM = 1.5, 1.4
#: Spread of the gap above C2's entry zone, mm: C1's rootlets were measured nowhere. A guess.
C1_GAP_SD_MM = 4.0
#: Spread of the scale. That of C3-T1 is 0.069, of which lengths and gaps that differ on their
#: own explain 0.05.
SCALE_SD = 0.045
#: The rostral end of C3 against the PMJ: how much of the scale of C3-T1 it follows (mm per unit
#: of scale), and what is left, mm.
PMJ_TO_C3_PER_SCALE_MM, PMJ_TO_C3_SD_MM = 18.0, 2.3
#: One per cent of the cord's length in mm, where the 14 subjects and Frostell et al. overlap:
#: caudal end of C3 to that of T1, 88.4 mm, is 20.5 per cent.
MM_PER_PERCENT = 4.31
#: Share of a segment that its entry zone takes: C4 to T1 of the 14 subjects.
ZONE_SHARE = 0.64
#: Relative spread of what is taken from the percentages alone, once the scale is taken out: that
#: of C4 to T1, caudal end to caudal end, in the 14 subjects.
SEGMENT_SD_SHARE = 0.12

#: Entry zones of PAM50 (rootlet voxels within 1.5 mm of the cord surface), mm along its
#: centerline from the C2/C3 disc (label 3). Measured with this package on
#: spinalcordtoolbox/PAM50 @ 3144364, 0.5 mm. PAM50's C2 rootlets stop short of the cord;
#: their zone is continued to it along their own obliquity.
PAM50_ZONES_MM = MappingProxyType(
    {
        _L.C2: (-30.5, -21.5),
        _L.C3: (-14.4, -0.3),
        _L.C4: (3.7, 14.7),
        _L.C5: (20.7, 29.7),
        _L.C6: (36.7, 46.2),
        _L.C7: (52.2, 61.7),
        _L.C8: (67.2, 78.7),
        _L.T1: (85.2, 93.7),
    }
)
#: Discs of PAM50 (label_discPosterior) on the same axis, by disc label.
PAM50_DISCS_MM = MappingProxyType(
    {
        2: -14.4, 3: 0.0, 4: 18.4, 5: 36.0, 6: 53.5, 7: 69.9, 8: 87.8, 9: 108.4, 10: 131.5,
        11: 154.7, 12: 178.2, 13: 203.2,
    }
)  # fmt: skip

#: Size of the 14 subjects' cords against PAM50 (C3 to T1: 89.6 of 96.7 mm), and its spread.
COHORT_SCALE = 0.93
COHORT_SCALE_SD = 0.074
#: Spread between people of where spinal levels lie against the discs, mm. No published
#: figure was found; this is the spread of the PMJ-to-level distances above at C3 (middle:
#: 3.0 mm), before the length of the neck adds to it. Half of the distance between two levels
#: is 7 mm: whose levels lie farther off than that is numbered wrong by discs alone.
DISC_TO_LEVEL_SD_MM = 3.0

#: How far a rootlet descends along the cord per mm that it leaves the cord surface, by
#: sector: measured on the rootlets of PAM50, smoothed from level to level.
SLOPE = MappingProxyType(
    {
        "D": MappingProxyType(
            dict(zip(COHORT_ZONES_MM, (0.5, 0.65, 0.65, 0.7, 0.8, 1.0, 1.35, 2.3), strict=True))
        ),
        "V": MappingProxyType(
            dict(zip(COHORT_ZONES_MM, (0.6, 1.4, 1.6, 1.9, 2.1, 2.4, 2.8, 3.3), strict=True))
        ),
    }
)
#: How much less than the mean the most caudal filaments descend, and the most rostral more,
#: because the filaments of a level converge: about half of what the edges of the rootlets of
#: PAM50 show over their whole length (0.5 to 0.9).
EDGE_SLOPE = 0.4
