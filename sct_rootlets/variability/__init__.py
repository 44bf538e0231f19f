"""Variability of spinal levels over subjects, sites, sessions and raters, as the papers measure it.

:func:`read_study` reads the tables of levels of a study, :func:`analyse` measures, :func:`write`
writes tables and figures; :func:`simulate` draws a study whose variability is known. Formulas
and their sources are in ``docs/variability.md``.
"""

from __future__ import annotations

from sct_rootlets.variability.agreement import icc_agreement, limits_of_agreement
from sct_rootlets.variability.analysis import Variability, analyse
from sct_rootlets.variability.files import write
from sct_rootlets.variability.simulate import Design, simulate, write_simulated
from sct_rootlets.variability.study import Scan, Study, read_study

__all__ = [
    "Design",
    "Scan",
    "Study",
    "Variability",
    "analyse",
    "icc_agreement",
    "limits_of_agreement",
    "read_study",
    "simulate",
    "write",
    "write_simulated",
]
