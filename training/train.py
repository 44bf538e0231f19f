"""Train one network of the compact model; resumable, on a CPU or a GPU.

``python -m training.train -kind fine -o RUN`` trains the network that segments cord, CSF
and rootlets at 1 mm, ``-kind wide`` the one that finds the cord at 2 mm. A run that was
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
from dataclasses import asdict, dataclass
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
    write_nnunet_folder,
)
from training.patches import Bank, numbered_patch

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


class _Patches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, recipe: Recipe, bank: Bank) -> None:
        self.recipe, self.bank = recipe, bank

    def __len__(self) -> int:
        return self.recipe.steps * self.recipe.batch

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, classes = numbered_patch(self.bank, self.recipe.patch_zyx, self.recipe.seed, number)
        return torch.from_numpy(image[None].copy()), torch.from_numpy(classes.copy())


def dice_and_cross_entropy(
    logits: torch.Tensor, classes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss and the soft Dice of each class but the background.

    Parameters
    ----------
    logits : (batch, C, z, y, x) tensor
    classes : (batch, z, y, x) tensor of int

    Notes
    -----
    nnU-Net's loss (Isensee et al. 2021): cross-entropy minus the mean soft Dice, here
    summed over the batch and over the classes present in it.
    """
    entropy = nn.functional.cross_entropy(logits, classes)
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
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    torch.manual_seed(recipe.seed)
    network = build_network(
        plain_conv_unet_kwargs(recipe.features, recipe.strides), len(COMPACT_LABELS)
    )
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
            loss, dice = dice_and_cross_entropy(network(images), classes.to(device))
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
    parser.add_argument("-kind", choices=sorted(RECIPES), required=True)
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
    recipe = RECIPES[args.kind]
    bank = Bank(args.bank or args.o / "bank", args.kind, recipe.volumes, args.pam50)
    log.info("training %s on %s", recipe, device)
    log.info("written to %s", train(recipe, bank, args.o, device, args.workers))


if __name__ == "__main__":
    main()
