"""A model folder as a whole: read once, and judged by the same rules at install and at load."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder.folds import Folds, read_folds
from sct_rootlets.model_folder.labels import (
    DEFAULT_ORIENTATION_SCT,
    LabelMeanings,
    Labels,
    meanings_of,
    read_labels,
    require_orientation,
)
from sct_rootlets.model_folder.model_json import AGAIN, is_number, read_json, shown
from sct_rootlets.model_folder.plan import Plan, plan_of
from sct_rootlets.model_folder.stated import UnsupportedPlan

__all__ = ["ModelFolder", "read_model_folder"]

#: A voxel of a compact model is a rootlet where its probability reaches this, unless
#: dataset.json says else.
ROOTLET_THRESHOLD = 0.7


@dataclass(frozen=True)
class ModelFolder:
    """What a model folder of nnU-Net v2 says.

    Attributes
    ----------
    path : Path
    dataset, plans : dict
        Content of dataset.json and plans.json.
    folds : Folds
    labels : Labels
    orientation_sct : str
        Orientation the model works in, by the letters where the axes start (SCT's).
    """

    path: Path
    dataset: Mapping[str, Any]
    plans: Mapping[str, Any]
    folds: Folds
    labels: Labels
    orientation_sct: str

    @property
    def is_compact(self) -> bool:
        """Whether it is one of the two networks of a compact model of ours."""
        return "sct_rootlets" in self.dataset

    @property
    def rootlet_threshold(self) -> float:
        """Probability at which a voxel of a compact model is a rootlet."""
        extra = self.dataset.get("sct_rootlets") or {}
        return float(extra.get("rootlet_threshold", ROOTLET_THRESHOLD))

    def meanings(self, stated: Mapping[int, SpinalLevel] | None = None) -> LabelMeanings:
        """Return what the values of the output mean; see :func:`labels.meanings_of`."""
        return meanings_of(self.labels, self.path / "dataset.json", stated)

    def files(self) -> list[Path]:
        """Return what inference reads: dataset.json, plans.json and the checkpoints used.

        Raises
        ------
        ModelError
            If of a checkpoint only what the store made of it is there.
        """
        for checkpoint in self.folds.used:
            if not checkpoint.is_file():
                raise ModelError(
                    f"has no {checkpoint.name} in {checkpoint.parent.name}, only what was made "
                    "of it",
                    path=self.path,
                    remedy=AGAIN,
                )
        return [self.path / "dataset.json", self.path / "plans.json", *self.folds.used]

    def one_configuration(self, names: Sequence[str]) -> str:
        """Return the configuration that the checkpoints were trained in, such as ``"3d_fullres"``.

        Parameters
        ----------
        names : sequence of str
            What each checkpoint that is used says of it.

        Raises
        ------
        ModelError
            If they differ. nnU-Net would take the first one's.
        """
        if len(set(names)) > 1:
            folds = zip(self.folds.used, names, strict=True)
            there = ", ".join(f"{path.parent.name}: {shown(name)}" for path, name in folds)
            raise ModelError(
                f"its folds were trained in different configurations ({there})",
                path=self.path,
                remedy="The files are of different models; ask its authors",
            )
        return names[0]

    def plan(self, configuration: str) -> Plan:
        """Return what plans.json asks for in a configuration.

        Raises
        ------
        ModelError
            If no engine runs it, nnU-Net's own predictor included; the reason is named.
        UnsupportedPlan
            If only nnU-Net's own predictor runs it.
        """
        try:
            plan = plan_of(self.plans, self.dataset, self.labels, configuration, self.path)
        except UnsupportedPlan as error:
            if self.is_compact:
                raise self._no_stage(str(error)) from error
            raise
        if self.is_compact and (plan.is_2d or plan.transpose != (0, 1, 2)):
            raise self._no_stage("it is no 3D network in plain z, y, x order")
        return plan

    def require_runnable(self, configuration: str) -> None:
        """Raise a `ModelError`, as :meth:`plan` does, unless some engine runs a configuration."""
        with contextlib.suppress(UnsupportedPlan):
            self.plan(configuration)

    def _no_stage(self, reason: str) -> ModelError:
        return ModelError(
            f"is no stage of a compact model: {reason}",
            path=self.path,
            remedy='If it is none, remove "sct_rootlets" from its dataset.json',
        )


def read_model_folder(folder: Path) -> ModelFolder:
    """Read the folder with dataset.json, plans.json and folds.

    Raises
    ------
    ModelError
        If something is missing, damaged, or none of nnU-Net's.
    """
    dataset, plans = (read_json(folder / name) for name in ("dataset.json", "plans.json"))
    if not isinstance(plans.get("configurations"), dict):
        raise ModelError(
            'its plans.json has no "configurations"',
            path=folder,
            remedy="It may be a model of nnU-Net version 1; version 2 is needed",
        )
    folds = read_folds(folder)
    orientation = dataset.get("image_orientation", DEFAULT_ORIENTATION_SCT)
    model = ModelFolder(
        folder,
        dataset,
        plans,
        folds,
        read_labels(dataset, folder / "dataset.json"),
        require_orientation(orientation, folder / "dataset.json"),
    )
    if model.is_compact:
        _check_compact(model)
    return model


def _check_compact(model: ModelFolder) -> None:
    extra = model.dataset["sct_rootlets"]
    threshold = extra.get("rootlet_threshold", ROOTLET_THRESHOLD) if isinstance(extra, dict) else ""
    if not is_number(threshold, 0.0, 1.0):
        raise ModelError(
            f'has the "sct_rootlets" {shown(extra)}, without a probability as rootlet_threshold',
            path=model.path / "dataset.json",
            remedy=AGAIN,
        )
    meanings = model.meanings()
    if meanings.has_level_identity or meanings.cord is None:
        raise ModelError("has no classes cord and rootlet", path=model.path)
