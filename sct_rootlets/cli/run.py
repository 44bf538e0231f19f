"""``sct_rootlets run``: from an image to the table of its spinal levels."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options, quality
from sct_rootlets.cli.console import Console, fsleyes_line, shown

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "run",
        summary="Segment the rootlets of an image and derive its spinal levels.",
        description="Segment the rootlets (and, where no mask is given, the cord) of a T2w "
        "image, derive the spinal\nlevels, and print their borders in mm along the cord.\n\n"
        "Writes beside the image, or into -ofolder, for t2.nii.gz:\n"
        "  t2_rootlets.nii.gz, .json           rootlets by the value of their spinal level "
        "(C2 = 2 ... T1 = 9)\n"
        "  t2_seg.nii.gz, .json                cord mask, unless one is given with -s\n"
        "  t2_spinal_levels.nii.gz, .json      spinal levels on the cord, and how they were made\n"
        "  t2_spinal_levels.tsv, .png          their table and their figure\n"
        "  t2_spinal_levels_*.nii.gz, .tsv     points and look-up, as sct_rootlets levels -h says\n"
        "\nRootlets that somebody made or corrected are used, and not predicted: those of "
        "derivatives/labels in a\nBIDS dataset, or t2_rootlets.nii.gz in the folder of the "
        "results or of the image, unless it is as this\ncommand wrote it. "
        "'sct_deepseg rootlets' writes that name, too. -predict 1 predicts all the same.\n"
        "\nA cord mask, disc labels and the PMJ that are not given are taken from "
        "derivatives/labels of a BIDS\ndataset, or made by SCT where it is installed:\n"
        "  t2_seg.nii.gz                       by sct_deepseg spinalcord\n"
        "  t2_totalspineseg_discs.nii.gz       by sct_deepseg spine\n"
        "  t2_seg_labeled_discs.nii.gz         by sct_label_vertebrae, if that fails\n"
        "  t2_pmj.nii.gz                       by sct_detect_pmj\n"
        "  t2_sct.log                          these commands, and all that they print",
        examples=(
            "sct_rootlets run -i t2.nii.gz -discs t2_discs.nii.gz",
            "sct_rootlets run -i t2.nii.gz -s t2_seg.nii.gz -c2c3 -3.5,42,-20 -ofolder levels "
            "-qc qc",
        ),
    )
    parser.needs("-i <file>", "Image, in any orientation.")
    parser.takes(
        "-s <file>",
        "Cord mask with the voxels of the image, in any orientation. By default SCT makes one "
        "where it is installed, else the model.",
    )
    parser.takes(
        "-rootlets <file>",
        "Rootlets with the voxels of the image, used instead of being predicted. By default "
        "those that somebody made or corrected, see above.",
    )
    parser.takes(
        "-predict <int>",
        "1 predicts the rootlets although there are some that somebody made or corrected.",
        type=int,
        choices=(0, 1),
        default=0,
    )
    options.add_volume_option(parser)
    options.add_identity_options(parser)
    options.add_analysis_options(parser)
    parser.takes(
        "-ofolder <folder>",
        "Folder for the results, made if missing. By default the folder of the image.",
    )
    parser.takes(
        "-sct <str>",
        "Whether SCT makes what is not given. 'auto': where it is found (SCT_DIR, this "
        "Python, the PATH). '0': never (also: SCT_ROOTLETS_SCT=0). Default: auto.",
        choices=("auto", "0"),
    )
    options.add_overwrite_option(parser)
    quality.add_qc_options(parser)
    options.add_model_options(parser)
    options.add_common_options(
        parser,
        execute,
        intermediate="the rootlets before numbering, the CSF mask and the centerline",
    )


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Run the whole pipeline on one image."""
    start = time.perf_counter()
    from sct_rootlets import pipeline
    from sct_rootlets.files.guards import Planned
    from sct_rootlets.files.names import SUFFIXES, page_stem, run_files
    from sct_rootlets.files.sidecar import split_nifti
    from sct_rootlets.levels.table.text import format_table
    from sct_rootlets.sct.missing_inputs import Making, supplier

    quality.check(arguments)
    folder = arguments.ofolder or arguments.i.parent
    landmarks = options.landmarks(arguments)
    overwrite = bool(arguments.overwrite)
    stem = split_nifti(arguments.i)[1]
    page = page_stem(arguments.i, f"{stem}{SUFFIXES['levels']}", arguments.qc)
    planned = run_files(
        stem,
        folder,
        csv=arguments.ocsv,
        qc=arguments.qc,
        page=page,
        intermediate=arguments.r == 0,
    )
    rootlets, rootlets_from = _rootlets(arguments, folder)
    console.say(f"Spinal levels of {shown(arguments.i)}")
    if rootlets is not None:
        console.say(f"Rootlets: {shown(rootlets)} ({rootlets_from}), and not predicted")
    with console.progress() as progress:
        result = pipeline.run(
            arguments.i,
            volume=arguments.volume,
            rootlets=rootlets,
            cord=arguments.s,
            landmarks=landmarks,
            model=options.chosen_model(arguments),
            settings=options.settings(arguments),
            options=options.level_options(arguments),
            progress=progress,
            write_to=Planned(planned, overwrite),
            supply=supplier(
                arguments.i,
                folder,
                given={"cord": arguments.s, "discs": arguments.discs, "pmj": arguments.pmj},
                named=landmarks.name_levels,
                rootlets_from=rootlets_from,
                use=arguments.sct,
                making=Making(
                    arguments.volume,
                    arguments.threads,
                    arguments.offline,
                    progress,
                    console.say,
                ),
            ),
        )
        files = result.write(
            folder,
            keep_intermediate=arguments.r == 0,
            csv=arguments.ocsv,
            overwrite=overwrite,
        )
    table = result.derived.table
    if result.model is not None:
        console.say(f"Model: {result.model.name} {result.model.version}")
    console.say(
        f"\nSpinal levels ({table.definition}), mm along the cord from the {table.origin}:\n"
    )
    console.say(format_table(table))
    console.files(dict.fromkeys(files.values()))
    if "figure" not in files:
        from sct_rootlets.qc import figure

        console.say(f"\nNo figure: {figure.HOW_TO_INSTALL}")
    quality.write(console, arguments, result.of_levels, image=arguments.i, stem=page)
    console.say(f"\nTook {time.perf_counter() - start:.0f} s.")
    overlays = [
        (files["levels"], "subcortical", 50.0),
        (files["rootlets"] if rootlets is None else rootlets, "subcortical", 70.0),
    ]
    console.viewer(fsleyes_line(arguments.i, overlays))


def _rootlets(arguments: argparse.Namespace, folder: Path) -> tuple[Path | None, str]:
    """Return the rootlets to use instead of predicting some, and where they come from."""
    from sct_rootlets.errors import UsageError
    from sct_rootlets.sct.manual import find_rootlets

    if arguments.rootlets is not None:
        if arguments.predict:
            raise UsageError(
                "-rootlets gives what -predict 1 would predict", remedy="Leave one of them away"
            )
        return arguments.rootlets, "given"
    found = None if arguments.predict else find_rootlets(arguments.i, folder)
    return found or (None, "")
