"""What only a CUDA device shows: agreement under autocast, its memory, a batch that flows.

Skipped by name where there is none.
"""

from __future__ import annotations

import gc
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.engines import load_engine
from sct_rootlets.engines.reduced_precision import agreement
from sct_rootlets.files.guards import Planned
from sct_rootlets.image import Image, LabelImage, load_labels, save
from sct_rootlets.pipeline import network
from sct_rootlets.pipeline.inputs_of_run import RunInputs
from sct_rootlets.store import locate
from tests.engines.test_sliding import (  # noqa: F401  the fixture
    Write,
    random_model,
    smooth_image,
)

torch = pytest.importorskip("torch")
pytest.importorskip("nnunetv2")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]

GPU = "cuda"


@pytest.fixture(scope="module")
def phantom() -> tuple[Image, LabelImage]:
    from sct_rootlets.phantom import make_grid, random_anatomy, render

    anatomy = random_anatomy(21)
    grid = make_grid(anatomy, (1.0, 1.0, 1.0), field_of_view_mm=(40.0, 64.0, 130.0))
    drawn = render(anatomy, grid)
    return drawn.image, drawn.cord


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fine network of the bundled model as an ordinary nnU-Net model."""
    source = locate("bundled").folder
    folder = tmp_path_factory.mktemp("trained") / source.name
    shutil.copytree(source, folder)
    dataset = json.loads((source / "dataset.json").read_text())
    del dataset["sct_rootlets"]
    (folder / "dataset.json").write_text(json.dumps(dataset))
    return folder


def predicted(folder: Path, engine: str, device: str, image: Image):
    return load_engine(locate(folder), device, 2, engine=engine).predict(image)


@pytest.mark.parametrize(
    ("model", "engine", "reference", "dice", "note"),
    [
        ("trained", "torch", ("nnunet", GPU), 0.995, "half precision where autocast does, on cuda"),
        # what is taken on CUDA without a trial: autocast, as nnU-Net itself does
        ("trained", "auto", ("nnunet", "cpu"), 0.995, ""),
        ("bundled", "torch", ("torch", "cpu"), 0.99, ""),
    ],
    ids=["nnU-Net on the same device", "single precision", "the bundled model"],
)
def test_it_agrees_with(trained, phantom, model, engine, reference, dice, note):
    image, cord = phantom
    folder = trained if model == "trained" else locate(model).folder
    found = predicted(folder, engine, GPU, image)
    measured = agreement(predicted(folder, *reference, image), found, cord)
    assert measured.is_enough
    assert measured.equal >= 0.999
    assert measured.lowest_dice >= dice
    assert note in " ".join(found.notes[:1])


@pytest.mark.parametrize("what", [{}, {"seeds": (1, 2)}, {"patch": (24, 16)}], ids=str)
def test_every_kind_of_network_runs_there(random_model: Write, what):  # noqa: F811
    folder, image = random_model(**what), smooth_image()
    expected = predicted(folder, "nnunet", GPU, image).rootlets.data
    found = predicted(folder, "torch", GPU, image).rootlets.data
    # Random weights leave classes all but equal, and autocast decides.
    assert (found == expected).mean() > 0.98


def test_its_memory_is_that_of_a_tile_and_given_back(trained, phantom):
    image, _ = phantom
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    predicted(trained, "nnunet", GPU, image)
    reference = torch.cuda.max_memory_allocated() - before
    gc.collect()
    torch.cuda.reset_peak_memory_stats()
    engine = load_engine(locate(trained), GPU, 2, engine="torch")
    loaded = torch.cuda.memory_allocated()
    peaks = []
    for data in (image.data, np.concatenate([image.data, image.data], axis=2)):
        engine.predict(Image(data, type(image.grid)(data.shape, image.grid.affine)))
        assert torch.cuda.memory_allocated() <= loaded + (1 << 20)
        peaks.append(torch.cuda.max_memory_allocated() - before)
        torch.cuda.reset_peak_memory_stats()
    # nnU-Net keeps the scores of the whole image there; here an image may be as long as it likes.
    assert peaks[0] <= reference
    assert peaks[1] <= 1.05 * peaks[0]
    del engine
    gc.collect()
    assert torch.cuda.memory_allocated() <= before + (1 << 20)


def test_a_batch_reads_ahead_and_writes_behind(trained, phantom, tmp_path, monkeypatch):
    image, _ = phantom
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.nii.gz")
        save(image.with_data(np.roll(image.data, number, axis=0)), paths[-1])
    alone = [predicted(trained, "torch", GPU, image.with_data(np.roll(image.data, n, 0)))
             for n in range(3)]  # fmt: skip
    loads, threads = [], {"read": set(), "written": set()}
    load, read, write = network.load_engine, RunInputs.read, pipeline.Predicted.write

    def noted(kind, function):
        def call(*args, **kwargs):
            threads[kind].add(threading.get_ident())
            return function(*args, **kwargs)

        return call

    def loaded(*args, **kwargs):
        loads.append(args)
        return load(*args, **kwargs)

    monkeypatch.setattr(network, "load_engine", loaded)
    monkeypatch.setattr(RunInputs, "read", noted("read", read))
    monkeypatch.setattr(pipeline.Predicted, "write", noted("written", write))
    targets = [{"rootlets": tmp_path / f"{n}_rootlets.nii.gz"} for n in range(3)]
    outcomes = list(
        pipeline.segment_many(
            paths,
            model=str(trained),
            settings=pipeline.Settings(GPU, engine="torch"),
            write_to=[Planned(target) for target in targets],
        )
    )
    assert len(loads) == 1
    here = threading.get_ident()
    assert here not in threads["read"] | threads["written"]
    for outcome, target, expected in zip(outcomes, targets, alone, strict=True):
        outcome.result()
        written = load_labels(target["rootlets"]).data
        np.testing.assert_array_equal(written, expected.rootlets.data)
