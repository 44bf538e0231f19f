"""``sct_rootlets demo``: the whole pipeline on a phantom, against its truth."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, fsleyes_line, shown

if TYPE_CHECKING:
    from sct_rootlets.metrics import BorderErrors

__all__ = ["add_parser", "execute"]

#: Phantom of the demonstration; training uses seeds of 1000000 and above only.
DEMO_SEED = 1
FIRST_TRAINING_SEED = 1_000_000


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "demo",
        summary="Show everything on a phantom with known truth.",
        description="Make a phantom the bundled model was never trained on, run the pipeline on "
        "it, and compare the\nlevels found with the true ones. Needs no data and no network.",
        examples=("sct_rootlets demo", "sct_rootlets demo -o demo -seed 12"),
    )
    parser.takes(
        "-o <folder>",
        "Folder for the phantom, the results and the figure, made if missing.",
        default=Path("sct_rootlets_demo"),
    )
    parser.takes(
        "-seed <int>",
        f"Seed of the phantom, below {FIRST_TRAINING_SEED}: others were trained on.",
        type=values.whole_number,
        default=DEMO_SEED,
    )
    parser.takes(
        "-definition <str>",
        "What a spinal level is, as in 'sct_rootlets run'.",
        choices=("caudal", "extent"),
        default="caudal",
    )
    options.add_model_options(parser)
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Make a phantom, run the pipeline on it, and show both tables."""
    start = time.perf_counter()
    from sct_rootlets import metrics, pipeline
    from sct_rootlets.errors import UsageError
    from sct_rootlets.files.guards import Planned
    from sct_rootlets.files.names import run_files
    from sct_rootlets.files.results import ResultSet
    from sct_rootlets.files.sidecar import split_nifti
    from sct_rootlets.image import load_labels
    from sct_rootlets.levels import LevelOptions
    from sct_rootlets.phantom import phantom_files, read_truth, write
    from sct_rootlets.qc import figure

    if arguments.seed >= FIRST_TRAINING_SEED:
        raise UsageError(
            f"the bundled model may have been trained on the phantom of seed {arguments.seed}",
            remedy=f"Choose a seed below {FIRST_TRAINING_SEED}",
        )
    figure.require_matplotlib()
    folder, overwrite = arguments.o, bool(arguments.overwrite)
    image = phantom_files(folder, arguments.seed, "T2w")["image"]
    planned = Planned(run_files(split_nifti(image)[1], folder, qc=folder), overwrite)
    planned.require_free()
    console.say(f"Phantom {arguments.seed}, which the model has never seen")
    with console.progress() as progress:
        paths = write(folder, arguments.seed, progress=progress, overwrite=overwrite)
        result = pipeline.run(
            paths["image"],
            landmarks=pipeline.Landmarks(paths["discs"]),
            model=options.chosen_model(arguments),
            settings=options.settings(arguments),
            options=LevelOptions(arguments.definition),
            progress=progress,
            write_to=planned,
        )
        with ResultSet(overwrite=overwrite) as outputs:
            files = result.stage(outputs, folder)
            pages = result.stage_qc(outputs, folder)
    borders_world = read_truth(paths["truth"]).borders_world(arguments.definition)
    errors = metrics.border_errors(
        result.derived.table, metrics.truth_on(result.derived.centerline, borders_world)
    )
    reference = load_labels(paths["rootlets"], "true rootlets").data
    cord = metrics.dice(result.cord.data, load_labels(paths["cord"], "true cord").data)
    predicted = result.rootlets.data
    if result.model is not None:
        console.say(f"Model: {result.model.name} {result.model.version}")
    console.say(
        f"\nSpinal levels ({arguments.definition}), mm along the cord from the "
        f"{result.derived.table.origin}:\n"
    )
    console.say(format_comparison(errors))
    console.say(
        f"\nBorders: median error {errors.median_mm:.2f} mm, largest {errors.max_mm:.2f} mm, "
        f"{errors.missing} not found\n"
        f"Rootlets: Dice {metrics.dice(predicted, reference):.2f}, at one voxel "
        f"{metrics.dice_at_tolerance(predicted, reference):.2f}, "
        f"right level {metrics.level_accuracy(predicted, reference):.0%}\n"
        f"Cord: Dice {cord:.2f}"
    )
    console.say(f"\nFigure: {shown(pages['figure'])}")
    console.say(f"Report: {shown(pages['report'])}")
    console.say(f"All files: {shown(folder)}")
    console.say(f"\nTook {time.perf_counter() - start:.0f} s.")
    overlays = [(files["levels"], "subcortical", 50.0), (files["rootlets"], "subcortical", 70.0)]
    console.viewer(fsleyes_line(paths["image"], overlays))


def format_comparison(errors: BorderErrors) -> str:
    """Return found and true borders side by side, as plain text.

    Parameters
    ----------
    errors : BorderErrors
    """
    lines = [
        f"{'':5}  {'rostral border, mm':^23}   {'caudal border, mm':^23}",
        f"{'level':5}" + f"  {'found':>7} {'true':>7} {'error':>7} " * 2,
    ]
    for level in dict.fromkeys(row.level for row in errors.rows):
        both = errors.of(level)
        cells = [
            f"  {_number(row.found_mm)} {_number(row.truth_mm)} {_number(row.signed_mm, '+')} "
            for row in (both["rostral"], both["caudal"])
        ]
        lines.append(f"{level.name:5}" + "".join(cells))
    return "\n".join(line.rstrip() for line in lines)


def _number(value: float, sign: str = "") -> str:
    return f"{'n/a':>7}" if value != value else f"{value:>{sign}7.1f}"
