"""Run nnU-Net's own predictor on one image, as SCT calls it: a script for another Python.

``PYTHON -I nnunet_predictor.py MODEL IMAGE OUTPUT THREADS``

It imports nothing of this project, so that an environment with nnU-Net or its fork in SCT is
enough. The predictor has the arguments of ``spinalcordtoolbox.deepseg.nnunet`` (7.4): tiles
half overlapping, Gaussian weights, no mirroring, on the CPU. Prints one line of JSON.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main(model: Path, source: str, target: str, threads: int) -> None:
    """Predict `source` with all folds of `model`, and write the classes to `target`."""
    begun = time.perf_counter()
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ.setdefault(name, os.devnull)  # only silences a warning, as in SCT
    import nibabel as nib
    import numpy as np
    import torch
    from nibabel import orientations
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    torch.set_num_threads(threads)
    imported = time.perf_counter()
    wishes: dict[str, Any] = {
        "tile_step_size": 0.5,
        "use_gaussian": True,
        "use_mirroring": False,
        "perform_everything_on_device": False,
        "device": torch.device("cpu"),
        "verbose": False,
        "verbose_preprocessing": False,
        "allow_tqdm": False,
    }
    accepted = inspect.signature(nnUNetPredictor.__init__).parameters
    predictor = nnUNetPredictor(**{k: v for k, v in wishes.items() if k in accepted})
    folds = [path.name.removeprefix("fold_") for path in sorted(model.glob("fold_*"))]
    predictor.initialize_from_trained_model_folder(
        str(model),
        use_folds="all" if folds == ["all"] else [int(fold) for fold in folds],
        checkpoint_name="checkpoint_final.pth",
    )
    loaded = time.perf_counter()
    image = nib.load(source)
    # SCT's LPI says where the axes start, nibabel's RAS where they end: the same voxels.
    way = orientations.ornt_transform(
        orientations.io_orientation(image.affine), orientations.axcodes2ornt("RAS")
    )
    back = orientations.ornt_transform(
        orientations.axcodes2ornt("RAS"), orientations.io_orientation(image.affine)
    )
    turned = image.as_reoriented(way)
    data = np.asarray(turned.dataobj, dtype=np.float32).transpose(2, 1, 0)[None]
    spacing = [float(mm) for mm in turned.header.get_zooms()[2::-1]]
    predicted = predictor.predict_single_npy_array(data, {"spacing": spacing}, None, None, False)
    ended = time.perf_counter()
    values = orientations.apply_orientation(predicted.transpose(2, 1, 0), back)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(values, np.uint8), image.affine), target)
    steps = {"imports": imported - begun, "load": loaded - imported, "predict": ended - loaded}
    print(json.dumps({"steps_s": steps, "torch": torch.__version__}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
