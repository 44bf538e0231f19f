"""The reference engine: any nnU-Net v2 rootlets folder through nnU-Net's own predictor.

Preprocessing, sliding window and export are nnU-Net's (Isensee et al., Nature Methods
2021, 10.1038/s41592-020-01008-z), with the settings SCT uses: tiles half overlapping,
Gaussian weights, no mirroring unless it is asked for. Ours are the way to the model's
orientation and back, and the meaning of the labels.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from sct_rootlets.engines.engine import (
    Progress,
    Segmentation,
    require_affordable,
    segmentation_from,
)
from sct_rootlets.engines.network_grid.axes import Reorientation
from sct_rootlets.engines.networks.architecture import load_weights
from sct_rootlets.engines.networks.fitting import built_to_fit
from sct_rootlets.engines.networks.runtime import (
    choose_device,
    from_nnunet,
    import_nnunet,
    quietly,
    read_checkpoint,
    using_threads,
)
from sct_rootlets.engines.networks.torch_network import Facts
from sct_rootlets.engines.networks.trainer import build_by_trainer, find_trainer, read_plans
from sct_rootlets.errors import ModelError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import read_model_folder

__all__ = ["NnUNetEngine"]

logger = logging.getLogger(__name__)

_NO_MASK = (
    "nnU-Net's predictor takes no cord mask: rootlets are looked for in the whole image, and not "
    "only near the mask that was given"
)


class NnUNetEngine:
    """An nnU-Net v2 model, loaded.

    Parameters
    ----------
    model : InstalledModel
    device : str
        As in :func:`sct_rootlets.engines.load_engine`.
    threads : int, optional
    mirror : bool
        Average over the mirrored views that the model allows.
    """

    def __init__(
        self,
        model: InstalledModel,
        device: str = "auto",
        threads: int | None = None,
        *,
        mirror: bool = False,
    ) -> None:
        self._model = model
        self._threads = threads
        self._told_of_mask = False
        nnunet = import_nnunet()
        self._device = choose_device(device)
        folder = model.folder
        read = read_model_folder(folder)
        checkpoints = [read_checkpoint(path) for path in read.folds.used]
        first = checkpoints[0]
        facts = Facts.of(checkpoints, read)
        read.require_runnable(facts.configuration)
        self._meanings = model.meanings
        plans, configuration, dataset = read_plans(nnunet, read, facts.configuration)
        trainer = find_trainer(nnunet, first["trainer_name"])
        network = built_to_fit(
            lambda: build_by_trainer(trainer, plans, configuration, dataset),
            first,
            folder,
            is_installed=trainer is not nnunet.nnUNetTrainer,
        )
        weights = [checkpoint["network_weights"] for checkpoint in checkpoints]
        for each in checkpoints[1:]:
            load_weights(network, each, folder)
        self._predictor = _make_predictor(nnunet, self._device, mirror)
        with from_nnunet(folder):
            self._predictor.manual_initialization(
                network,
                plans,
                configuration,
                weights,
                dataset,
                first["trainer_name"],
                first.get("inference_allowed_mirroring_axes"),
            )
        self._predictor.predict_logits_from_preprocessed_data = self._logits
        self._notes = [
            f"nnU-Net predictor, {facts.configuration}, {read.folds.text}, "
            f"tile step 0.5, {'mirrored views' if mirror else 'no mirroring'}, on {self._device}"
        ]

    def predict(
        self,
        image: Image,
        *,
        cord: LabelImage | None = None,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Predict the rootlets of `image`; see :class:`sct_rootlets.engines.Engine`.

        The whole image is predicted: `cord` is not used, and the notes say so.
        """
        notes = list(self._notes)
        if cord is not None:
            notes.append(_NO_MASK)
            if not self._told_of_mask:
                self._told_of_mask = True
                logger.warning("%s: %s", self._model.reference, _NO_MASK)
        tell = progress or (lambda stage, done, total: None)
        way = Reorientation.to(self._model.orientation_sct, image.grid.affine, image.grid.shape)
        # nnU-Net's arrays are (channel, z, y, x), with the spacing in the same order.
        array = np.ascontiguousarray(way.apply(image.data).transpose(2, 1, 0)[None])
        spacing = [float(mm) for mm in way.spacing_mm[::-1]]
        tell("preparing the image", 0, 1)
        wanted = [float(mm) for mm in self._predictor.configuration_manager.spacing]
        require_affordable(image, image.grid.size_mm, wanted)
        watched = _watched(self._predictor, tell)
        try:
            with using_threads(self._threads), from_nnunet(self._model.folder), watched:
                predicted = self._predictor.predict_single_npy_array(
                    array.astype(np.float32), {"spacing": spacing}, None, None, False
                )
        except ModelError:
            if watched.failed is not None:  # the caller's own, by which it stops the prediction
                raise watched.failed from None
            raise
        tell("back to the image's grid", 1, 1)
        values = way.undo(np.asarray(predicted).transpose(2, 1, 0))
        return segmentation_from(values, image, self._meanings, notes)

    def _logits(self, data: Any) -> Any:
        """Return the mean scores over the folds, each predicted once.

        As nnU-Net's method of the name that this one takes the place of. That of SCT's fork
        predicts the first fold twice.
        """
        total: Any = None
        for weights in self._predictor.list_of_parameters:
            self._predictor.network.load_state_dict(weights)
            scores = self._predictor.predict_sliding_window_return_logits(data).to("cpu")
            total = scores if total is None else total + scores
        return total / len(self._predictor.list_of_parameters)


def _make_predictor(nnunet: SimpleNamespace, device: Any, mirror: bool) -> Any:
    on_device = device.type == "cuda"
    wishes = {
        "tile_step_size": 0.5,
        "use_gaussian": True,
        "use_mirroring": mirror,
        "perform_everything_on_device": on_device,
        "perform_everything_on_gpu": on_device,  # its name in 2.2
        "device": device,
        "verbose": False,
        "verbose_preprocessing": False,
        "allow_tqdm": False,
    }
    accepted = inspect.signature(nnunet.nnUNetPredictor.__init__).parameters
    with quietly():
        return nnunet.nnUNetPredictor(**{k: v for k, v in wishes.items() if k in accepted})


class _watched:
    """Report each tile of nnU-Net's predictor, where it has the methods one can watch."""

    _COUNTED = "_internal_get_sliding_window_slicers"
    _STEP = "_internal_maybe_mirror_and_predict"

    def __init__(self, predictor: Any, tell: Progress) -> None:
        self._predictor = predictor
        self._stdout = sys.stdout  # where the caller prints, while nnU-Net is kept quiet
        self._tell = tell
        self._total = self._done = 0
        self.failed: Exception | None = None

    def __enter__(self) -> None:
        if not all(hasattr(self._predictor, name) for name in (self._COUNTED, self._STEP)):
            return
        count, step = (getattr(self._predictor, name) for name in (self._COUNTED, self._STEP))
        folds = len(self._predictor.list_of_parameters)

        def counted(*args: Any, **kwargs: Any) -> Any:
            slicers = count(*args, **kwargs)
            if not self._total:
                self._total = len(slicers) * folds
                self._told(0)
            return slicers

        def stepped(*args: Any, **kwargs: Any) -> Any:
            result = step(*args, **kwargs)
            self._told(self._done + 1)
            return result

        setattr(self._predictor, self._COUNTED, counted)
        setattr(self._predictor, self._STEP, stepped)

    def _told(self, done: int) -> None:
        self._done = min(done, self._total)
        try:
            with contextlib.redirect_stdout(self._stdout):
                self._tell("segmenting the rootlets", self._done, self._total)
        except Exception as error:
            self.failed = error
            raise

    def __exit__(self, *_: object) -> None:
        for name in (self._COUNTED, self._STEP):
            vars(self._predictor).pop(name, None)
