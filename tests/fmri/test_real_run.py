"""A real EPI run with the levels of the same subject, of the same session.

The data have no levels of their own in EPI space and no registration, so that this shows that
real files pass through and that the numbers are those of other programs, and not that the levels
lie where they should.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.fmri import analyse, map_levels
from sct_rootlets.fmri.products import write


def test_a_real_run_from_end_to_end(shared_data: Path, tmp_path: Path) -> None:
    levels = tmp_path / "t2_spinal_levels.nii.gz"
    subject, run = shared_data / "subject_t2", shared_data / "fmri" / "fmri.nii.gz"
    derived = pipeline.levels(
        subject / "t2_seg-deepseg_rootlets.nii.gz",
        subject / "t2_seg-manual.nii.gz",
        landmarks=pipeline.Landmarks(subject / "discs.nii.gz"),
    )
    derived.write(levels)
    mapped = map_levels(levels, run)
    assert [str(level) for level in mapped.fractions.levels] == ["C3", "C4", "C5", "C6"]
    # The T2w image is 54 mm long, the EPI 101 mm: four of its slices of 16.8 mm hold levels.
    assert len({row.slice for row in mapped.rows}) == 4
    tsnr = shared_data / "fmri" / "fmri_tsnr.nii.gz"
    found = analyse(mapped, func=run, maps=[tsnr], regions=True)
    series = found.series
    assert series is not None
    assert series.tr_s == 1.13
    assert series.series.shape == (30, 20)
    assert np.isfinite(series.series).all()
    # sct_fmri_compute_tsnr made this map of the same run: ours has to be the same.
    ours = {row["name"]: float(row["tsnr"]) for row in series.rows}
    theirs = {row["name"]: float(row["mean"]) for row in found.map_rows}
    assert ours == pytest.approx(theirs, rel=1e-4)
    values = np.asarray(nib.load(tsnr).dataobj)[tuple(found.levels.ijk.T)]
    np.testing.assert_allclose(series.voxels.tsnr, values, rtol=1e-4)
    files = write(found, tmp_path / "X.nii.gz", probseg="4d")
    assert nib.load(files["regions"]).shape == (68, 68, 6)
