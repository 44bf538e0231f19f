"""What is ours of the engine that is nnU-Net's own predictor; tests of all engines try the rest."""

from __future__ import annotations

import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.errors import ModelError
from sct_rootlets.store import locate
from tests.engines.conftest import Factory, spine, thresholds_for
from tests.orientations import oblique_affine

pytest.importorskip("nnunetv2")


def test_what_nnunet_raises_is_an_error_about_the_model(
    model_folder: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = spine(oblique_affine((1, 1, 1), (0, 0, 0), (-18.0, -20.0, -22.0)), (36, 40, 44))
    folder = model_folder(*thresholds_for(image.data))
    engine = load_engine(locate(folder), "cpu", 1, engine="nnunet")
    for error, remedy in (
        (AssertionError(), "Ask its authors"),
        (KeyError("0"), "Ask its authors"),
        (RuntimeError("CUDA out of memory.\nTried to allocate"), "Choose -device cpu"),
    ):

        def raising(*args: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(engine._predictor, "predict_single_npy_array", raising)
        told = rf"3d_fullres: nnU-Net's own code .*{type(error).__name__}.*{remedy}"
        with pytest.raises(ModelError, match=told):
            engine.predict(image)
