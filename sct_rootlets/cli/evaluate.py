"""``sct_rootlets evaluate``: predictions measured against references."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console
from sct_rootlets.errors import RootletsError

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "evaluate",
        summary="Measure predicted rootlets against a reference, level by level.",
        description="Measure rootlets, predicted or of a rater, against a reference on the same "
        "grid: Dice, F1 by slice,\nprecision and recall, surface distances in mm, and which level "
        "was taken for which; with a cord\nmask also the errors of the level borders in mm along "
        "the cord. docs/evaluate.md has the formulas.\n\n"
        "Writes for -o X.tsv:\n"
        "  X.tsv                            one row an image and level, and one for all levels\n"
        "  X_summary.tsv                    mean, SD and median over the images by level\n"
        "  X_images.tsv                     wrong slices, borders and calibration by image\n"
        "  X_confusion.tsv                  voxels of each reference level by predicted level\n"
        "  X_borders.tsv                    errors of borders and midpoints, with -s or -tables\n"
        "  X_calibration.tsv                for probabilities: how often they come true\n"
        "  X.json                           what all columns mean, and what the inputs were\n"
        "  X.png                            a figure, if matplotlib is installed\n\n"
        "A pair that cannot be used does not stop the others; the exit status is then 1.",
        examples=(
            "sct_rootlets evaluate -i t2_rootlets.nii.gz -ref t2_manual.nii.gz",
            "sct_rootlets evaluate -i pred/*.nii.gz -ref manual/*.nii.gz -s seg/*.nii.gz "
            "-o out/metrics.tsv",
        ),
    )
    parser.needs(
        "-i <file> ...",
        "Predictions: rootlets with the value of their spinal level (C1 = 1 ... T1 = 9 ... "
        "S5 = 30), or 1 throughout. Probabilities (0 to 1) are cut at 0.5, and their calibration "
        "is measured too.",
    )
    parser.needs(
        "-ref <file> ...",
        "References, one for each prediction, in the same order and with the same voxels, in "
        "any orientation.",
    )
    parser.takes(
        "-s <file> ...",
        "Cord masks with the voxels of the references, one for each. Levels are then derived "
        "from both sides, and their borders compared along one centerline.",
    )
    parser.takes(
        "-tables <file> ...",
        "Tables of the levels (.tsv) of the predictions, as of sct_rootlets levels or run, in "
        "place of levels derived here. With -s, or on a curve through the reference's borders.",
    )
    parser.takes("-ref-tables <file> ...", "Tables of the levels of the references.")
    parser.takes(
        "-level <levels>",
        "Levels to compare, such as C3:C8, where the references were not annotated beyond "
        "them: all others are taken for background on both sides. By default all.",
        type=values.spinal_levels,
    )
    parser.takes(
        "-definition <str>",
        "What a spinal level is, where levels are derived; see sct_rootlets levels -h. For "
        "another one give tables.",
        choices=("caudal", "extent", "midgap"),
        default="caudal",
    )
    parser.takes(
        "-o <file>",
        "Table to write, .tsv, which gives the others their names.",
        default=Path("metrics.tsv"),
    )
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Measure one prediction, or several."""
    from sct_rootlets import evaluation
    from sct_rootlets.files.guards import require_free
    from sct_rootlets.qc.figure import HOW_TO_INSTALL

    given = (arguments.i, arguments.ref, arguments.s, arguments.tables, arguments.ref_tables)
    overwrite = bool(arguments.overwrite)
    require_free(
        evaluation.evaluation_files(arguments.o).values(),
        [path for paths in given for path in paths or ()],
        overwrite=overwrite,
    )
    with console.progress() as progress:
        found = evaluation.evaluate(
            arguments.i,
            arguments.ref,
            cords=arguments.s,
            tables=arguments.tables,
            reference_tables=arguments.ref_tables,
            definition=arguments.definition,
            only=arguments.level,
            progress=progress if len(arguments.i) > 1 else None,
        )
    if found.failures and len(arguments.i) == 1:
        raise found.failures[0][1]
    for name, error in found.failures:
        console.failure(error, about=name)
    if found.results:
        for result in found.results:
            for remark in result.remarks:
                console.warn(f"{result.name}: {remark}")
        files = found.write(arguments.o, overwrite=overwrite)
        count = len(found.results)
        console.say(
            f"Agreement with the reference, {count} images (mean ± SD):\n"
            if count > 1
            else f"Agreement of {found.results[0].name} with the reference:\n"
        )
        console.say(evaluation.format_summary(found.summary))
        console.files(files.values())
        if "figure" not in files:
            console.say(f"\nNo figure: {HOW_TO_INSTALL}")
    if found.failures:
        names = ", ".join(name for name, _ in found.failures)
        raise RootletsError(
            f"{len(found.failures)} of {len(arguments.i)} pairs could not be measured: {names}",
            remedy="The reasons are above; the others are written" if found.results else "",
        )
