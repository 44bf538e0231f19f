"""``sct_rootlets map``: spinal levels in the space of an EPI."""

from __future__ import annotations

import argparse
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, fsleyes_line, shown

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "map",
        summary="Bring spinal levels to the grid of an EPI, as fractions and labels.",
        description="Bring a label image of spinal levels to the grid of an EPI (fMRI, diffusion, "
        "MT, ...). Thick\nslices hold parts of several levels: the share of every voxel in each "
        "level is computed through\nthe whole chain of transforms at once, and nothing is "
        "resampled in between.\n\n"
        "Writes for -o X.nii.gz:\n"
        "  X.nii.gz, .json           the level with the largest share, and the coverage of each\n"
        "  X_dseg.tsv                look-up of the values: index, name, color\n"
        "  X_slices.tsv, .json       which slice holds which level, and how much of it\n"
        "  X_probseg.nii.gz, .json   with -probseg: the shares, one volume a level\n"
        "  X_regions.nii.gz, .json   with -regions or -gm: level x side x dorsal or ventral, with "
        "their\n                            look-up X_regions_dseg.tsv and X_regions.lut for "
        "FSLeyes\n"
        "  X_levels.tsv, .json       with -func: mean, tSNR and voxels of each level and region\n"
        "  X_timeseries.tsv, .json   with -func: a row a volume, a column a level or region\n"
        "  X_stats.tsv, .json        with -stat: mean, peak and active voxels of each\n"
        "  X_profile.png             with -func or -stat: the profile by level on the unrolled "
        "cord",
        examples=(
            "sct_rootlets map -i t2_spinal_levels.nii.gz -d bold.nii.gz -o bold_levels.nii.gz",
            "sct_rootlets map -i t2_levels.nii.gz -d bold.nii.gz -w warp_t22bold.nii.gz -s "
            "bold_seg.nii.gz -probseg",
            "sct_rootlets map -i levels.nii -d bold.nii -w bold2t2.mat,bold.nii,t2.nii -winv "
            "bold2t2.mat,bold.nii,t2.nii",
            "sct_rootlets map -i t2_levels.nii.gz -d bold.nii.gz -w warp.nii.gz -regions -func "
            "bold.nii.gz",
            "sct_rootlets map -i levels.nii.gz -d z.nii.gz -w warp.nii.gz -gm gm.nii.gz -stat "
            "z.nii.gz -thr 2.3",
        ),
    )
    parser.needs(
        "-i <file>",
        "Label image of spinal levels, as of sct_rootlets run or levels. From its table, if "
        "it lies beside it, come the uncertainties of the slices.",
    )
    parser.needs("-d <file>", "Destination: EPI, 3D or 4D. Only its grid is read.")
    parser.takes(
        "-w <file>",
        "Transforms from the image of -i to that of -d, in the order of sct_apply_transfo -w, "
        "composed and applied once: displacement fields (.nii.gz) and affines (.mat, .txt) of SCT, "
        "ANTs and ITK; matrices of FSL's flirt with the images of its -in and -ref, as "
        "MATRIX,IN,REF; or text files of 4x4 numbers that map world mm of -d to world mm of -i. "
        "Without it both images share one world.",
        type=values.transform,
        nargs="+",
        default=[],
    )
    parser.takes(
        "-winv <file>",
        "Those affines of -w that are inverted first, written as in -w.",
        type=values.transform,
        nargs="+",
        default=[],
    )
    parser.takes(
        "-s <file>",
        "Cord mask of the EPI, with its voxels. Bounds the levels, and shows whether the "
        "transforms go the right way.",
    )
    parser.takes(
        "-o <file>",
        "Label image to write, which gives the others their names. By default "
        "bold_spinal_levels.nii.gz for bold.nii.gz, and "
        "sub-1_space-bold_label-spinallevels_dseg.nii.gz for sub-1_bold.nii.gz, beside it.",
        type=values.nifti_output,
    )
    parser.takes(
        "-probseg <str>",
        "Also write the shares: as one 4D image ('4d', also without a word), or as one image "
        "a level ('files').",
        nargs="?",
        const="4d",
        choices=("4d", "files"),
    )
    _add_analysis_options(parser)
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def _add_analysis_options(parser: options.Parser) -> None:
    """Add what asks for regions, time series and statistic maps."""
    parser.takes(
        "-regions",
        "Also divide each level into left and right, dorsal and ventral, about the middle of "
        "the cord in each slice: of the mask of -s, or else of the mapped cord.",
    )
    parser.takes(
        "-gm <file>",
        "Grey matter of the EPI with its voxels, a mask or its probability (as of PAM50_gm "
        "warped to the EPI). Regions are then horns and white matter.",
    )
    parser.takes(
        "-func <file>",
        "Time series with the voxels of -d in any orientation, 4D. It is read volume by volume, "
        "twice, and needs no more memory for more volumes. Voxels that are NaN in a volume, or the "
        "same in all, are left out and counted.",
    )
    parser.takes(
        "-average <str>",
        "How voxels make one number of a level: 'weighted' by their share of it; 'label', "
        "the plain mean of those that have its label, as NiftiLabelsMasker of nilearn on "
        "X.nii.gz; 'fit', by least squares as its NiftiMapsMasker on X_probseg.nii.gz.",
        choices=("weighted", "label", "fit"),
        default="weighted",
    )
    parser.takes("-mask <file>", "Only voxels within this mask enter time series and statistics.")
    parser.takes(
        "-standardize <str>",
        "Time series as they are ('none'), in standard deviations ('zscore'), or in percent "
        "of their mean ('psc').",
        choices=("none", "zscore", "psc"),
        default="none",
    )
    parser.takes(
        "-stat <file>",
        "Statistic maps with the voxels of -d in any orientation, to summarise by level. The "
        "figure is of the first one.",
        nargs="+",
        default=[],
    )
    parser.takes(
        "-thr <float>", "With -stat: voxels above it are counted as active.", type=values.number
    )


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Map the levels of one image, and summarise by them what is given."""
    from sct_rootlets import fmri
    from sct_rootlets.anatomy import SpinalLevel
    from sct_rootlets.files.guards import require_free
    from sct_rootlets.fmri import products
    from sct_rootlets.fmri.files import mapped_target, planned_files

    target = arguments.o or mapped_target(arguments.d)
    given = (arguments.i, arguments.d, arguments.s, arguments.gm, arguments.func, arguments.mask)
    read = [path for path in (*given, *arguments.stat) if path is not None]
    has_values = arguments.func is not None or bool(arguments.stat)
    planned = planned_files(target, SpinalLevel, arguments.probseg)
    planned |= products.planned_products(
        target,
        regions=arguments.regions or arguments.gm is not None,
        series=arguments.func is not None,
        maps=bool(arguments.stat),
        figure=has_values,
    )
    overwrite = bool(arguments.overwrite)
    require_free(planned.values(), read, overwrite=overwrite)
    mapped = fmri.map_levels(
        arguments.i,
        arguments.d,
        transforms=arguments.w,
        inverted=arguments.winv,
        cord=arguments.s,
    )
    with console.progress() as progress:
        analysis = fmri.analyse(
            mapped,
            regions=arguments.regions,
            grey_matter=arguments.gm,
            func=arguments.func,
            average=arguments.average,
            standardize=arguments.standardize,
            mask=arguments.mask,
            maps=arguments.stat,
            threshold=arguments.thr,
            progress=progress,
        )
    files = products.write(analysis, target, probseg=arguments.probseg, overwrite=overwrite)
    for warning in (*mapped.warnings, *analysis.warnings):
        console.warn(warning)
    console.say(f"Spinal levels of {shown(arguments.i)} on the grid of {shown(arguments.d)}:\n")
    console.say(mapped.format_coverage())
    for table in analysis.format_tables():
        console.say(f"\n{table}")
    console.files(files.values())
    if (arguments.func or arguments.stat) and "profile" not in files:
        from sct_rootlets.qc import figure

        console.say(f"\nNo figure: {figure.HOW_TO_INSTALL}")
    overlays = [(target, "subcortical", 50.0)]
    if "regions" in files:
        overlays.append((files["regions"], str(files["regions_lut"]), 50.0))
    console.viewer(fsleyes_line(arguments.d, overlays))
