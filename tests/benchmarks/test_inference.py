"""The benchmark of the engines measures what it says: work, memory, agreement, whole results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest

from benchmarks import inference_tables, peers, watch
from benchmarks.agreement import compare, near
from benchmarks.inference import DOCUMENT
from benchmarks.inference_tables import first_tile
from benchmarks.kept import Kept
from benchmarks.operations import Tile, floor_s, whole_tiles
from benchmarks.peers import MIXED, TILES, Job, Peers, measured, methods

#: A child that holds 200 MB, and whose own child works for a while.
CHILD = """
import json, subprocess, sys
held = bytearray(200_000_000)
held[::4096] = b"x" * len(held[::4096])
work = "n = 0\\nfor i in range(3_000_000): n += i"
subprocess.run([sys.executable, "-c", work], check=True)
print("words before")
print(json.dumps({"heard": sys.argv[1:]}))
"""

#: Two children that hold 100 MB each; all say so, and wait until their stdin is closed.
TREE = """
import subprocess, sys
HOLD = '''
import sys
held = bytearray(100_000_000)
held[::4096] = b"x" * len(held[::4096])
print("held", flush=True)
sys.stdin.read()
'''
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
both = [subprocess.Popen([sys.executable, "-c", HOLD], **pipes) for _ in range(2)]
for each in both:
    each.stdout.readline()
print("held", flush=True)
sys.stdin.read()
for each in both:
    each.communicate()
"""


def test_a_child_is_measured_and_not_who_started_it(tmp_path: Path) -> None:
    ours = np.ones(400_000_000, dtype=np.uint8)  # resident here while the child is started
    took = measured([sys.executable, "-c", CHILD, "a"], 1, tmp_path / "log.txt", {"X": "1"})
    assert ours[-1] == 1
    assert 0.2 <= took["peak_gb"] < 0.35
    assert took["said"] == {"heard": ["a"]}
    assert took["cpu_s"] > 0
    assert "words before" in (tmp_path / "log.txt").read_text()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux has a /proc")
def test_the_tree_is_counted_as_one() -> None:
    with subprocess.Popen([sys.executable, "-c", TREE], stdin=PIPE, stdout=PIPE) as tree:
        assert tree.stdout is not None
        assert tree.stdout.readline() == b"held\n"
        resident, processes = watch.resident_of_tree(tree.pid)
    assert processes == 3
    assert 200_000_000 <= resident < 300_000_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_the_most_of_all_looks_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    looks = [(5, 1), (9, 2), (7, 3)]

    def look(pid: int) -> tuple[int, int]:
        if len(looks) == 1:
            pipe.write_text("that was the last look")  # the command waits for it
        return looks.pop(0) if looks else (0, 0)

    monkeypatch.setattr(watch, "resident_of_tree", look)
    took = watch.watch([sys.executable, "-c", f"open({str(pipe)!r}).read()"])
    assert looks == []
    assert (took["code"], took["tree_gb"], took["processes"]) == (0, 9e-9, 3)


@pytest.mark.parametrize(("tree", "largest"), [(2.0, 1.0), (1.0, 2.0)])
def test_the_peak_is_that_of_the_tree_or_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: float, largest: float
) -> None:
    report = json.dumps({"code": 0, "tree_gb": tree, "largest_process_gb": largest})
    write = f"import sys; open(sys.argv[1], 'w').write({report!r})"
    (tmp_path / "watch.py").write_text(write)
    monkeypatch.setattr(peers, "HERE", tmp_path)
    assert measured(["nothing"], 1, tmp_path / "log.txt")["peak_gb"] == 2.0


def test_a_failure_is_a_result(tmp_path: Path) -> None:
    took = measured([sys.executable, "-c", "raise SystemExit('no')"], 1, tmp_path / "log.txt")
    assert took["failed"] == "exit code 1: no"


def test_operations_of_known_convolutions() -> None:
    torch = pytest.importorskip("torch")
    from benchmarks.operations import count

    down = torch.nn.Conv3d(1, 4, 3, stride=2, padding=1)
    up = torch.nn.ConvTranspose3d(4, 2, 2, stride=2)
    tile = count(torch.nn.Sequential(down, up), (8, 8, 8))
    # 4^3 outputs of 4 channels from 27 voxels each; 4^3 inputs of 4 channels onto 8 x 2 each.
    assert tile.flop == 2 * (64 * 4 * 27 + 64 * 4 * 2 * 8)
    assert tile.elements == (512 + 256 + 4 * 27) + (256 + 1024 + 4 * 2 * 8)
    assert tile.parameters == 4 * 27 + 4 + 4 * 2 * 8 + 2


def test_the_full_model_is_of_the_official_kind() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("dynamic_network_architectures")
    from benchmarks.big_model import FULL
    from benchmarks.operations import count
    from training.export import build_network, plain_conv_unet_kwargs

    kwargs = plain_conv_unet_kwargs(FULL.features, [1] * len(FULL.features))
    kwargs["strides"] = FULL.strides_zyx
    tile = count(build_network(kwargs, FULL.levels + 1), FULL.patch_zyx)
    assert round(tile.flop / 1e9, -1) == 1120
    assert round(tile.parameters / 1e6, 1) == 30.5
    assert whole_tiles((320, 320, 64), (0.8,) * 3, (0.8,) * 3, FULL.patch_zyx) == 8
    assert whole_tiles((640, 640, 160), (0.4,) * 3, (0.8,) * 3, FULL.patch_zyx) == 12


def test_the_floor_is_that_of_the_scarcer() -> None:
    tile = Tile(flop=10**12, elements=10**9, parameters=1)
    assert floor_s(tile, 2, peak_gflop_s=100.0, copy_gb_s=100.0, size=4) == pytest.approx(20.0)
    assert floor_s(tile, 2, peak_gflop_s=1000.0, copy_gb_s=1.0, size=4) == pytest.approx(8.0)


def test_a_small_model_is_an_ordinary_model(tmp_path: Path) -> None:
    pytest.importorskip("nnunetv2")
    from benchmarks.big_model import TINY, mixture, write_model
    from sct_rootlets.engines import load_engine
    from sct_rootlets.image import Grid, Image
    from sct_rootlets.store import locate

    folder = write_model(tmp_path / "model", TINY)
    again = write_model(tmp_path / "again", TINY)
    name = Path("fold_all", "checkpoint_final.pth")
    assert (folder / name).read_bytes() == (again / name).read_bytes()
    model = locate(folder)
    assert model.orientation_sct == "LPI"
    data = np.random.default_rng(0).normal(size=(20, 36, 40)).astype(np.float32)
    image = Image(data, Grid((20, 36, 40), np.diag([4.0, 4.0, 4.0, 1.0])))
    found = load_engine(model, "cpu", 1).predict(image)
    shares = mixture(found.rootlets.data)
    assert len(shares) >= 5
    assert max(shares.values()) < 0.6


def test_planted_differences_are_counted() -> None:
    cord = np.zeros((60, 20, 20), dtype=np.uint8)
    cord[30, 10, 10] = 1
    region = near(cord, np.array([1.0, 2.0, 2.0]))
    assert region[20, 10, 10]
    assert not region[19, 10, 10]
    assert region[30, 15, 10]
    assert not region[30, 16, 10]
    reference = np.zeros(cord.shape, dtype=np.uint8)
    reference[28:32, 10, 10] = 3
    reference[0, 0, :5] = 4  # far away
    found = reference.copy()
    found[28, 10, 10] = 5
    found[0, 0, :5] = 0
    agreed = compare(found, reference, region)
    assert agreed.whole == pytest.approx(1 - 6 / cord.size)
    assert agreed.near == pytest.approx(1 - 1 / region.sum())
    assert agreed.dice == {3: pytest.approx(6 / 7), 5: 0.0}
    assert agreed.voxels == {3: 4, 5: 0}
    assert agreed.lowest == (0.0, 5)
    assert compare(found, reference, None).near is None
    with pytest.raises(ValueError, match="empty"):
        near(np.zeros((3, 3, 3)), np.ones(3))


def test_results_are_on_disk_at_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "results.json")
    kept.put("speed", "a/0", {"wall_s": 1.0})
    kept.put("start", "b/0", {"wall_s": 2.0})
    again = Kept(tmp_path / "results.json")
    assert again.get("speed", "a/0") == {"wall_s": 1.0}
    again.forget("speed")
    assert json.loads((tmp_path / "results.json").read_text()) == {
        "start": {"b/0": {"wall_s": 2.0}}
    }


def _took(wall: float, title: str, peak: float = 1.0) -> dict[str, object]:
    return {"wall_s": wall, "cpu_s": 2 * wall, "peak_gb": peak, "title": title}


def test_ratios_are_to_the_medians_of_the_peers(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "results.json")
    for turn, wall in enumerate((300.0, 320.0, 900.0)):
        kept.put("speed", f"sct/{turn}", _took(wall, "SCT"))
    kept.put("speed", "upstream/0", _took(160.0, "nnU-Net"))
    kept.put("speed", "openvino/first", _took(50.0, "ours"))
    kept.put("speed", "openvino/0", _took(40.0, "ours", 0.5))
    kept.put("speed", "torch/0", {"failed": "exit code 1: no", "title": "other"})
    lines = inference_tables.tables(kept)["speed"].splitlines()
    assert lines[2] == "| SCT | 320 | 300 to 900 | - | 640 | 1.00 | 1.0 | 0.5 |"
    assert lines[4] == "| ours | 40.0 | - | 50.0 | 80.0 | 0.50 | 8.0 | 4.0 |"
    assert lines[5].startswith("| other | failed |")


def test_the_bound_is_of_the_worst_image(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "results.json")

    def put(method: str, image: str, at_cord: float, dice: float) -> None:
        record = {"near": at_cord, "whole": at_cord, "dice": {"4": dice}, "voxels": {"4": 9}}
        more = {"model": "m", "image": image, "method": method}
        kept.put("agreement", f"m/{image}/{method}", {**record, **more})

    put("torch", "one", 0.9995, 0.996)
    put("openvino", "one", 0.9995, 0.999)
    put("openvino", "two", 0.9999, 0.9949)
    lines = inference_tables.tables(kept)["agreement"].splitlines()
    assert lines[2].endswith("| 0.9960 (value 4, 9 voxels, one) | yes |")
    assert lines[3].endswith("| 0.9949 (value 4, 9 voxels, two) | no |")


def test_the_first_tile_is_read_from_the_reports() -> None:
    reports = [["preparing the image", 0, 1, 1.0], [TILES, 0, 8, 2.0], [TILES, 1, 8, 3.0]]
    assert first_tile({"said": {"progress": reports}}) == (2.0, 3.0, 8)
    assert first_tile({}) == (None, None, None)


def test_every_table_has_its_place_in_the_document() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- table: ([\w-]+) -->", text)) == set(inference_tables.MAKERS)
    assert text.count("<!-- end -->") == len(inference_tables.MAKERS)


def test_every_method_is_a_command(tmp_path: Path) -> None:
    (tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres").mkdir()
    job = Job(tmp_path, Path("i.nii.gz"), Path("c.nii.gz"), Path("o.nii.gz"), 2)
    found = {each.name: each.command(job) for each in methods(Peers("python", "sct_deepseg"))}
    assert found["sct"] == ["sct_deepseg", "rootlets", "-i", "i.nii.gz", "-o", "o.nii.gz"]
    assert found["fork"][0] == "python"
    assert "-fast" not in found["openvino"]
    assert "-s" not in found["openvino"]
    assert found["openvino-fast-cord"][-3:] == ["-fast", "-s", "c.nii.gz"]
    assert "nnunet-cord" not in found  # it predicts the whole image always
    assert found[MIXED][2:4] == ["benchmarks.mixed_precision", "segment"]
    assert MIXED not in [each.name for each in methods(Peers(), mixed=False)]


@pytest.mark.slow
def test_mixed_precision_is_the_whole_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    pytest.importorskip("torch")
    from benchmarks.big_model import TINY, TestImage, write_image, write_model
    from benchmarks.mixed_precision import main
    from sct_rootlets.engines import choice

    # Put back by the end, whatever `main` makes of it.
    monkeypatch.setattr(choice._Computing, "reduced", choice._Computing.reduced)
    write_model(tmp_path / "model", TINY)
    image = write_image(tmp_path, TestImage("small", (10, 16, 32), 4.0))
    job = Job(tmp_path / "model", image["image"], image["cord"], tmp_path / "o.nii.gz", 1)
    (mixed,) = (each for each in methods(Peers()) if each.name == MIXED)
    assert main(mixed.command(job)[3:]) == 0
    assert job.output.exists()
    sidecar = json.loads((tmp_path / "o.json").read_text())
    assert "OpenVINO, mixed (the first stage in f32)" in json.dumps(sidecar)


def test_where_nothing_is_gained_it_is_not_measured_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import inference, mixed_precision

    for reason in (None, "this processor has no halves"):
        monkeypatch.setattr(mixed_precision, "why_not", lambda reason=reason: reason)
        command = ["inference", "-o", str(tmp_path), "-list"]
        monkeypatch.setattr(sys, "argv", command)
        inference.main()
        said = capsys.readouterr().out
        assert ("segment -engine openvino`, mixed precision" in said) is (reason is None)
        assert (f"{MIXED} is not measured: this processor has no halves" in said) is bool(reason)
