"""The order of a chain and its direction, as SCT's own sct_apply_transfo has them.

SCT hands its transforms to ANTs (isct_antsApplyTransforms). Where that program runs, it does the
resampling; where it does not, ITK does it in the same order, through SimpleITK, so that at least
SCT's own part, the order of the list, is checked.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from sct_rootlets.fmri.transforms import read_chain
from tests.fmri.transforms.files import write_field
from tests.scts import the_sct

#: Runs in SCT's Python: sct_apply_transfo, with ITK in the place of a program that does not run.
SCRIPT = """
import subprocess, sys
import SimpleITK as sitk
from spinalcordtoolbox.scripts import sct_apply_transfo as module
from spinalcordtoolbox.utils.sys import __bin_dir__

def in_its_place(dimensionality, fname_input, fname_output, fname_reference, transforms,
                 interpolation_args, verbose):
    composite = sitk.CompositeTransform(3)
    # ANTs: the first transform of the list is the first that a point goes through; of ITK's
    # queue that is the one added last.
    for name in transforms[::-1]:
        if name.endswith(".nii.gz"):
            field = sitk.ReadImage(name, sitk.sitkVectorFloat64)
            composite.AddTransform(sitk.DisplacementFieldTransform(field))
        else:
            composite.AddTransform(sitk.ReadTransform(name))
    image = sitk.ReadImage(fname_input, sitk.sitkFloat32)
    reference = sitk.ReadImage(fname_reference)
    sitk.WriteImage(sitk.Resample(image, reference, composite, sitk.sitkLinear), fname_output)

try:
    subprocess.run([__bin_dir__ + "/isct_antsApplyTransforms", "--version"], check=True,
                   capture_output=True)
    print("by ANTs")
except (OSError, subprocess.SubprocessError):
    module.isct_antsApplyTransforms = in_its_place
    print("by ITK")
module.main(sys.argv[1:])
"""


@pytest.mark.sct
def test_a_chain_goes_where_sct_apply_transfo_goes(tmp_path: Path) -> None:
    sct = the_sct()
    pytest.importorskip("SimpleITK")
    affine = np.diag([-1.0, 1.0, 2.0, 1.0])
    affine[:3, 3] = (12, -10, -15)
    ramp = np.indices((24, 22, 16)).astype(np.float32)
    value = 100 + 3 * ramp[0] + 7 * ramp[1] - 5 * ramp[2] + 0.2 * ramp[0] * ramp[1]
    source = nib.Nifti1Image(value, affine)
    nib.save(source, tmp_path / "a.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros((24, 22, 16), np.float32), affine), tmp_path / "c.nii.gz")
    # A to B turns and shifts, B to C shifts more on the left than on the right: they do not
    # commute.
    (tmp_path / "a2b.txt").write_text(
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\n"
        "Parameters: 0.98 0.2 0 -0.2 0.98 0 0 0 1 1.5 -2 1\nFixedParameters: 0 0 0\n"
    )
    field = np.zeros((24, 22, 16, 3))
    field[..., 1] = np.linspace(-3, 3, 24)[:, None, None]
    write_field(tmp_path / "warp_b2c.nii.gz", field, affine)
    words = ["a2b.txt", "warp_b2c.nii.gz"]
    options = ["-i", "a.nii.gz", "-d", "c.nii.gz", "-w", *words, "-x", "linear", "-o", "out.nii.gz"]
    done = subprocess.run(
        [sct.python, "-c", SCRIPT, *options], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = nib.load(tmp_path / "out.nii.gz").get_fdata()

    def ours(names: list[str]) -> np.ndarray:
        xyz = nib.affines.apply_affine(affine, np.indices(value.shape).reshape(3, -1).T)
        points = read_chain([tmp_path / name for name in names]).source_from_destination(xyz)
        ijk = nib.affines.apply_affine(np.linalg.inv(affine), points)
        inside = np.all((ijk >= 0) & (ijk <= np.array(value.shape) - 1), axis=1)
        sampled = ndimage.map_coordinates(value, ijk.T, order=1)
        return np.where(inside, sampled, np.nan).reshape(value.shape)

    expected = ours(words)
    known = np.isfinite(expected) & (found > 0)
    assert known.mean() > 0.5
    np.testing.assert_allclose(found[known], expected[known], atol=0.02)
    assert np.nanmax(np.abs(ours(words[::-1]) - expected)) > 1
