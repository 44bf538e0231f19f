"""Fixtures of the whole suite."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sct_rootlets.image import Grid
from sct_rootlets.phantom import Anatomy, Phantom, make_grid, random_anatomy, render
from tests.pipeline.knowing_engine import Knowing, use_engine
from tests.plain import plain_figures
from tests.store.server import Server
from tests.store.tiny import entry, make_archive, write_manifest
from tests.synthetic import Neck, make_neck

#: Modules whose tests wait for most of their time: for servers, for locks, for a moment to kill.
WAITING = {"test_install_kill.py"}


def pytest_configure() -> None:
    """Hear Ctrl-C as in a terminal: a shell that starts this in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait, so that one process waits while the others compute."""
    items.sort(key=lambda item: item.path.name not in WAITING)


@pytest.fixture(autouse=True)
def store_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a store of its own, and none of the settings of whoever runs it."""
    for name in [name for name in os.environ if name.startswith(("SCT_ROOTLETS_", "SCT_DIR"))]:
        monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("store") / "home"
    monkeypatch.setenv("SCT_ROOTLETS_HOME", str(folder))
    # An SCT on the machine would make inputs of every run; tests that want one say so.
    monkeypatch.setenv("SCT_ROOTLETS_SCT", "0")
    return folder


@pytest.fixture(params=[0o022, 0o002], ids=["022", "002"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Let others read what is made, or those of the group write it as well."""
    if os.name != "posix":
        pytest.skip("Windows has no umask")
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def converted_apart() -> None:
    """Convert networks for OpenVINO in a process of its own, as users do."""


@pytest.fixture(autouse=True)
def converted_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert networks that are no plain U-Nets in this process: another takes seconds."""
    if "converted_apart" in request.fixturenames:
        return
    from sct_rootlets.engines.networks import network_cache

    monkeypatch.setattr(network_cache, "_made_apart", lambda folder, target: None)


@pytest.fixture(autouse=True)
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw figures as plain as can be, but in the room that draws and for `real_figures`."""
    if "real_figures" not in request.fixturenames and request.path.parent.name != "qc":
        plain_figures(monkeypatch)


@pytest.fixture
def figures() -> None:
    """Draw figures also in a module that asks for `no_figures`."""
    pytest.importorskip("matplotlib")


@pytest.fixture
def real_figures(figures: None) -> None:
    """Draw figures as they are."""


@pytest.fixture
def no_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no figures, as where matplotlib is not installed.

    For modules that look at other files; a test that looks at figures asks for `figures`.
    """
    if "figures" not in request.fixturenames:
        from sct_rootlets.qc import figure

        monkeypatch.setattr(figure, "find_spec", lambda name: None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the repository; skip where there is none."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def neck() -> Neck:
    """Return a small synthetic neck; no test may change it."""
    return make_neck()


@pytest.fixture
def knowing(neck: Neck, monkeypatch: pytest.MonkeyPatch) -> Knowing:
    """Put an engine that knows the answer in place of the bundled one."""
    return lambda **options: use_engine(monkeypatch, neck, **options)


@pytest.fixture(scope="session")
def anatomy() -> Anatomy:
    """Return the anatomy of a seed that no network was trained on."""
    return random_anatomy(11)


@pytest.fixture(scope="session")
def phantom_grid(anatomy: Anatomy) -> Grid:
    """Return a grid of 1 mm around the cervical cord only, to keep the rendering short."""
    return make_grid(anatomy, (1.0, 1.0, 1.0), field_of_view_mm=(36.0, 48.0, 168.0))


@pytest.fixture(scope="session")
def phantom_small(anatomy: Anatomy, phantom_grid: Grid) -> Phantom:
    """Return that anatomy, scanned on that grid."""
    return render(anatomy, phantom_grid)


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return zips of three versions of a model; no test may change them."""
    folder = tmp_path_factory.mktemp("archives")
    return {version: make_archive(folder, int(version)) for version in "123"}


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a running HTTP server on loopback."""
    with Server() as running:
        yield running


@pytest.fixture
def manifest(server: Server, archives: dict[str, Path], tmp_path: Path) -> Path:
    """Serve the three versions, and list them without a hash, as the official releases are."""
    entries = [
        entry(version, [server.add(f"/{version}.zip", path.read_bytes())])
        for version, path in archives.items()
    ]
    return write_manifest(tmp_path / "manifest.json", *entries)
