"""One command from nothing to the bundled model: geometries, both networks, threshold.

``python -m training.retrain -o RUN -pam50 $SCT_DIR/data/PAM50/template`` does everything
in the folder ``RUN``; given again after an interruption, it goes on where it stopped. With
``-install`` the finished model replaces the one in ``sct_rootlets/models/compact``.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sct_rootlets.phantom import __file__ as _phantom_file
from training.bank import fine_volume, make_bank
from training.export import build_network, folder_name, plain_conv_unet_kwargs, read_state_dict
from training.pam50 import Pam50
from training.patches import Bank, fine_patch
from training.train import RECIPES, train

__all__ = ["choose_threshold", "retrain"]

log = logging.getLogger(__name__)

#: First seed of the geometries the threshold is chosen on; never trained on.
VALIDATION_SEED = 2_000_000
#: Rootlet probabilities that are tried as threshold.
THRESHOLDS = np.round(np.arange(0.2, 0.91, 0.05), 2)


def choose_threshold(folder: Path, template: Pam50 | None, volumes: int = 24) -> dict[str, Any]:
    """Return the rootlet threshold of highest Dice on geometries never trained on.

    Parameters
    ----------
    folder : Path
        nnU-Net folder of the fine network.
    template : Pam50, optional
        As in training.
    volumes : int
        Geometries to use, with four patches of each.
    """
    recipe = RECIPES["fine"]
    network = build_network(plain_conv_unet_kwargs(recipe.features, recipe.strides))
    network.load_state_dict(read_state_dict(folder))
    network.eval()
    overlap, total = np.zeros(len(THRESHOLDS)), np.zeros(len(THRESHOLDS))
    for n in range(volumes):
        volume = fine_volume(VALIDATION_SEED + n, template)
        for k in range(4):
            rng = np.random.default_rng([VALIDATION_SEED, n, k])
            image, classes = fine_patch(volume, recipe.patch_zyx, rng)
            with torch.inference_mode():
                logits = network(torch.from_numpy(image[None, None]))
            share = torch.softmax(logits, 1)[0, 3].numpy()
            truth = classes == 3
            for i, threshold in enumerate(THRESHOLDS):
                found = share >= threshold
                overlap[i] += 2 * (found & truth).sum()
                total[i] += found.sum() + truth.sum()
    dice = overlap / np.maximum(total, 1)
    best = int(np.argmax(dice))
    return {
        "rootlet_threshold": float(THRESHOLDS[best]),
        "validation_dice": round(float(dice[best]), 4),
        "dice_by_threshold": dict(zip(THRESHOLDS.tolist(), dice.round(4).tolist(), strict=True)),
    }


def retrain(run: Path, pam50: Path | None, device: str, workers: int) -> Path:
    """Do everything that is not done yet, and return the folder of the compact model."""
    template = Pam50(pam50) if pam50 else None
    compact = run / "compact"
    made: dict[str, Path] = {}
    for name, recipe in RECIPES.items():  # a recipe comes after the one that it starts from
        make_bank(run / "bank", recipe.kind, recipe.volumes, template)
        bank = Bank(run / "bank", recipe.kind, recipe.volumes, pam50)
        start = made[recipe.start] if recipe.start else None
        folder = train(recipe, bank, run / name, device, workers, start=start)
        if folder is None:
            raise SystemExit("stopped before the end; give the same command to go on")
        made[name] = folder
        # The last recipe of a configuration is the one that is used.
        shutil.copytree(folder, compact / folder_name(recipe.configuration), dirs_exist_ok=True)
    finish(compact, template)
    return compact


def finish(compact: Path, template: Pam50 | None) -> None:
    """Write the threshold into the dataset.json of the fine network."""
    fine = compact / folder_name(RECIPES["fine"].configuration)
    path = fine / "dataset.json"
    dataset = json.loads(path.read_text(encoding="utf-8"))
    dataset["sct_rootlets"] |= choose_threshold(fine, template)
    path.write_text(json.dumps(dataset, indent=1) + "\n", encoding="utf-8")
    log.info("threshold %s", dataset["sct_rootlets"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", type=Path, required=True, help="folder of everything")
    parser.add_argument("-pam50", type=Path, help="folder with PAM50's label maps")
    parser.add_argument("-device", default="auto", help="auto, cpu, cuda, mps")
    parser.add_argument("-threads", type=int, default=0)
    parser.add_argument("-workers", type=int, default=1, help="processes that make patches")
    parser.add_argument("-install", action="store_true", help="replace the bundled model")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.threads:
        torch.set_num_threads(args.threads)
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    compact = retrain(args.o, args.pam50, device, args.workers)
    if args.install:
        target = Path(_phantom_file).parents[1] / "models" / "compact"
        shutil.copytree(compact, target, dirs_exist_ok=True)
        log.info("installed in %s", target)


if __name__ == "__main__":
    main()
