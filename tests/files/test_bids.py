"""Entities from names, folders, and the names of the published scripts."""

from __future__ import annotations

import pytest

from sct_rootlets.files.bids import entities_of


@pytest.mark.parametrize(
    ("path", "entities"),
    [
        ("sub-01/ses-b/sub-01_ses-b_T2w_spinal_levels.tsv", {"sub": "01", "ses": "b"}),
        ("sub-01/ses-b/t2_spinal_levels.tsv", {"sub": "01", "ses": "b"}),
        ("sub-01/sub-02_T2w.tsv", {"sub": "02"}),
        ("acq-x/sub-02_acq-08_rec-a_run-2_desc-r1_T2w.tsv",
         {"sub": "02", "acq": "08", "rec": "a", "run": "2", "desc": "r1"}),
        ("sub-amu02_T2w_label-rootlet_rater3.nii.gz",
         {"sub": "amu02", "label": "rootlet", "rater": "rater3"}),
        ("sub-1_rater-ann_rater2.tsv", {"sub": "1", "rater": "ann"}),
        ("out/t2_spinal_levels.tsv", {}),
    ],
)  # fmt: skip
def test_entities(path: str, entities: dict[str, str]) -> None:
    assert entities_of(path) == entities
