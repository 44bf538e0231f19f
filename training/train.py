"""Train one network of the compact model; resumable, on a CPU or a GPU.

``python -m training.train -recipe fine -o RUN`` trains the network that segments cord, CSF
and rootlets at 1 mm, ``-recipe refined -start FOLDER`` goes on with it, and ``-recipe wide``
trains the one that finds the cord at 2 mm. A run that was
stopped goes on from its last checkpoint when the same command is given again. The run's
average of the weights is written as an nnU-Net folder into ``RUN``.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from training.export import (
    COMPACT_LABELS,
    build_network,
    folder_name,
    plain_conv_unet_kwargs,
    read_state_dict,
    write_nnunet_folder,
)
from training.patches import AS_PHANTOM, Bank, Look, numbered_patch

__all__ = ["RECIPES", "Recipe", "train"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a run, but for the device's rounding.

    Attributes
    ----------
    kind : {"fine", "wide"}
    configuration : str
        nnU-Net configuration that the network becomes.
    spacing_mm : float
    patch_zyx : (3,) tuple of int
    features : tuple of int
        Channels of each stage; every stage after the first halves the resolution.
    volumes : int
        Geometries in the bank.
    steps, batch : int
    learning_rate : float
        At its highest; warmed up over 100 steps, then a cosine down to 0.
    average : float
        Decay of the exponential average of the weights, which is what is exported.
    seed : int
    start : str, optional
        Recipe whose outcome the weights start from; by default they are random.
    look : Look
        Of the patches.
    gap_weight : float
        Weight in the cross-entropy of what lies between two rootlets, one above the other
        (:func:`between_rootlets`); of everything else, 1.
    """

    kind: str
    configuration: str
    spacing_mm: float
    patch_zyx: tuple[int, int, int]
    features: tuple[int, ...]
    volumes: int
    steps: int
    batch: int = 2
    learning_rate: float = 2e-3
    average: float = 0.997
    seed: int = 20261123
    start: str | None = None
    look: Look = AS_PHANTOM
    gap_weight: float = 1.0

    @property
    def strides(self) -> tuple[int, ...]:
        """Stride with which each stage starts."""
        return (1, *[2] * (len(self.features) - 1))


RECIPES = {
    "fine": Recipe("fine", "3d_fullres", 1.0, (64, 32, 32), (16, 32, 64, 128), 1500, 4500),
    "wide": Recipe(
        "wide",
        "3d_lowres",
        2.0,
        (64, 64, 32),
        (8, 16, 32, 64),
        300,
        2500,
        learning_rate=3e-3,
    ),
}
#: What the trained fine network goes through next: looks that the first round has too rarely.
RECIPES["refined"] = replace(
    RECIPES["fine"],
    start="fine",
    volumes=600,
    steps=3000,
    learning_rate=1e-3,
    seed=20261128,
    look=Look(inverted=0.12, sliced=0.3),
    gap_weight=2.0,
)

#: Farthest that two rootlets lie from each other, one above the other, for what lies between
#: them to be a gap (mm; the voxels of a fine patch are 1 mm).
GAP_MM = 6


class _Patches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, recipe: Recipe, bank: Bank) -> None:
        self.recipe, self.bank = recipe, bank

    def __len__(self) -> int:
        return self.recipe.steps * self.recipe.batch

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        recipe = self.recipe
        image, classes = numbered_patch(
            self.bank, recipe.patch_zyx, recipe.seed, number, recipe.look
        )
        return torch.from_numpy(image[None].copy()), torch.from_numpy(classes.copy())


def between_rootlets(classes: torch.Tensor) -> torch.Tensor:
    """Return which voxels have a rootlet above and one below, within `GAP_MM`, and are none.

    Parameters
    ----------
    classes : (batch, z, y, x) tensor of int

    Returns
    -------
    (batch, z, y, x) tensor of bool
    """
    rootlet = (classes == COMPACT_LABELS["rootlet"]).float()[:, None]
    window = (GAP_MM + 1, 1, 1)
    below = nn.functional.pad(rootlet, (0, 0, 0, 0, GAP_MM, 0))
    above = nn.functional.pad(rootlet, (0, 0, 0, 0, 0, GAP_MM))
    near = [nn.functional.max_pool3d(side, window, stride=1)[:, 0] > 0 for side in (below, above)]
    return near[0] & near[1] & (rootlet[:, 0] == 0)


def dice_and_cross_entropy(
    logits: torch.Tensor, classes: torch.Tensor, gap_weight: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss and the soft Dice of each class but the background.

    Parameters
    ----------
    logits : (batch, C, z, y, x) tensor
    classes : (batch, z, y, x) tensor of int
    gap_weight : float
        As in :class:`Recipe`.

    Notes
    -----
    nnU-Net's loss (Isensee et al. 2021): cross-entropy minus the mean soft Dice, here
    summed over the batch and over the classes present in it.
    """
    if gap_weight == 1.0:
        entropy = nn.functional.cross_entropy(logits, classes)
    else:
        weight = 1 + (gap_weight - 1) * between_rootlets(classes).to(logits.dtype)
        each = nn.functional.cross_entropy(logits, classes, reduction="none")
        entropy = (weight * each).sum() / weight.sum()
    share = torch.softmax(logits, dim=1)
    truth = nn.functional.one_hot(classes, logits.shape[1]).movedim(-1, 1).to(share.dtype)
    axes = (0, 2, 3, 4)
    both, total = (share * truth).sum(axes), share.sum(axes) + truth.sum(axes)
    dice = (2 * both + 1e-3) / (total + 1e-3)
    present = truth.sum(axes)[1:] > 0  # a class that is absent says nothing by its Dice
    loss = entropy - (dice[1:] * present).sum() / present.sum().clamp(min=1)
    return loss, dice[1:].detach()


def _save(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    os.replace(temporary, path)


def export(folder: Path, recipe: Recipe, weights: dict[str, torch.Tensor], steps: int) -> Path:
    """Write the weights as the nnU-Net folder of the recipe's configuration."""
    # Through a network, whose state dict names each shared tensor twice but holds it once.
    network = build_network(
        plain_conv_unet_kwargs(recipe.features, recipe.strides), len(COMPACT_LABELS)
    )
    network.load_state_dict(weights)
    return write_nnunet_folder(
        folder / folder_name(recipe.configuration),
        recipe.configuration,
        [recipe.spacing_mm] * 3,
        recipe.patch_zyx,
        plain_conv_unet_kwargs(recipe.features, recipe.strides),
        network.state_dict(),
        {"sct_rootlets": {"recipe": asdict(recipe), "steps_done": steps}},
        labels=COMPACT_LABELS,
    )


def train(
    recipe: Recipe,
    bank: Bank,
    folder: Path,
    device: str = "cpu",
    workers: int = 1,
    stop_after: float = float("inf"),
    start: Path | None = None,
) -> Path | None:
    """Train by `recipe` and return the nnU-Net folder; None if stopped before the end.

    Parameters
    ----------
    recipe : Recipe
    bank : Bank
    folder : Path
        Of the run: checkpoint, log and, in the end, the nnU-Net folder.
    device : str
    workers : int
        Processes that make patches.
    stop_after : float
        Seconds after which to save a checkpoint and stop.
    start : path, optional
        nnU-Net folder that a recipe with a `start` takes its weights from.
    """
    if (start is None) != (recipe.start is None):
        raise SystemExit(f"recipe {recipe.kind!r} starts from {recipe.start}, given is {start}")
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    torch.manual_seed(recipe.seed)
    network = build_network(
        plain_conv_unet_kwargs(recipe.features, recipe.strides), len(COMPACT_LABELS)
    )
    if start is not None:
        network.load_state_dict(read_state_dict(start))
    network = network.to(device, memory_format=torch.channels_last_3d)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=1e-2)
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        if saved["recipe"] != json.dumps(asdict(recipe)):
            raise SystemExit(f"{checkpoint} is of another recipe: choose another folder")
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        average, first = saved["average"], saved["step"]
        log.info("going on from step %d", first)
    numbers = range(first * recipe.batch, recipe.steps * recipe.batch)
    loader = DataLoader(
        _Patches(recipe, bank),
        batch_size=recipe.batch,
        sampler=numbers,  # type: ignore[arg-type]
        num_workers=workers,
        prefetch_factor=6 if workers else None,
    )

    def save(step: int) -> None:
        _save(
            checkpoint,
            {
                "recipe": json.dumps(asdict(recipe)),
                "step": step,
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "average": average,
            },
        )

    begun = time.monotonic()
    recent: list[list[float]] = []
    with (folder / "log.csv").open("a", newline="") as file:
        for step, (images, classes) in enumerate(loader, start=first):
            progress = step / recipe.steps
            rate = recipe.learning_rate * min(1.0, (step + 1) / 100)
            for group in optimiser.param_groups:
                group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * progress))
            images = images.to(device, memory_format=torch.channels_last_3d)
            loss, dice = dice_and_cross_entropy(
                network(images), classes.to(device), recipe.gap_weight
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            decay = min(recipe.average, (step + 1) / (step + 10))
            with torch.no_grad():
                for name, value in network.state_dict().items():
                    average[name].lerp_(value, 1 - decay)
            recent.append([float(loss.detach()), *dice.tolist()])
            done = step + 1
            if done % 50 == 0:
                means = np.mean(recent[-50:], axis=0)
                seconds = (time.monotonic() - begun) / (done - first)
                csv.writer(file).writerow([done, *means.round(4), round(seconds, 3)])
                file.flush()
                log.info("step %d of %d, loss %.3f, Dice %s, %.2f s a step", done, recipe.steps,
                         means[0], means[1:].round(3).tolist(), seconds)  # fmt: skip
            if done % 250 == 0 and done < recipe.steps:
                save(done)
            if time.monotonic() - begun > stop_after:
                save(done)
                return None
    save(recipe.steps)
    return export(folder, recipe, average, recipe.steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("-start", type=Path, help="nnU-Net folder that `refined` starts from")
    parser.add_argument("-o", type=Path, required=True, help="folder of the run")
    parser.add_argument("-bank", type=Path, help="folder of the bank (default: RUN/bank)")
    parser.add_argument("-pam50", type=Path, help="folder with PAM50's label maps")
    parser.add_argument("-device", default="auto", help="auto, cpu, cuda, mps")
    parser.add_argument("-threads", type=int, default=0)
    parser.add_argument("-workers", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = RECIPES[args.recipe]
    bank = Bank(args.bank or args.o / "bank", recipe.kind, recipe.volumes, args.pam50)
    log.info("training %s on %s", recipe, device)
    log.info("written to %s", train(recipe, bank, args.o, device, args.workers, start=args.start))


if __name__ == "__main__":
    main()
