"""Count how often nnU-Net's predictor runs the network, for one fold and for several.

Run with the Python whose nnU-Net is to be looked at: ``python double_pass.py``. It builds models
of one, two and five folds with random weights, and compares what
``predict_logits_from_preprocessed_data`` returns with the mean over the folds.
"""

import contextlib
import os
import tempfile
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import torch

for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
    os.environ.setdefault(name, "unused")  # or nnU-Net warns

from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor  # noqa: E402
from tiny_model import write_model  # noqa: E402


class Counting(nnUNetPredictor):
    passes = 0

    def predict_sliding_window_return_logits(self, *args, **kwargs):
        self.passes += 1
        return super().predict_sliding_window_return_logits(*args, **kwargs)


def look_at(folds: int, data: torch.Tensor) -> None:
    with contextlib.redirect_stdout(None):  # it remarks on the CPU
        predictor = Counting(device=torch.device("cpu"), allow_tqdm=False)
    with tempfile.TemporaryDirectory() as folder:
        predictor.initialize_from_trained_model_folder(
            str(write_model(Path(folder), folds)), use_folds=tuple(range(folds)),
            checkpoint_name="checkpoint_final.pth",
        )  # fmt: skip
    alone = []
    for weights in predictor.list_of_parameters:
        predictor.network.load_state_dict(weights)
        alone.append(nnUNetPredictor.predict_sliding_window_return_logits(predictor, data).float())
    right = torch.stack(alone).mean(0)
    got = predictor.predict_logits_from_preprocessed_data(data.clone()).float()
    moved = np.mean((got.argmax(0) != right.argmax(0)).numpy())
    print(
        f"{folds} fold(s): {predictor.passes} passes; "
        f"result / mean over folds = {float((got * right).sum() / (right * right).sum()):.3f}; "
        f"voxels whose label differs: {100 * moved:.2f} %"
    )


def main() -> None:
    named = {d.metadata["Name"]: d.version for d in distributions()}
    print(*(f"{name} {named[name]}" for name in named if name.startswith("nnunetv2")))
    data = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 24, 24, 24))).float()
    for folds in (1, 2, 5):
        look_at(folds, data)


if __name__ == "__main__":
    main()
