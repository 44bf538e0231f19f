"""``sct_rootlets variability``: how levels vary over subjects, sites, sessions and raters."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, shown

__all__ = ["add_parser", "execute"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand."""
    parser = options.add_subcommand(
        subparsers,
        "variability",
        summary="Measure how levels vary over subjects, sites, sessions and raters.",
        description="From the tables of levels of many images: distance of every level from the "
        "PMJ, its mean, standard\ndeviation and coefficient of variation (CoV) with confidence "
        "intervals, between subjects, between the\ngroups of a factor and within subjects; "
        "intraclass correlation and Bland-Altman figures of paired\nsessions or raters; tests of "
        "the factors; agreement with vertebral levels. Tables and figures.\n\n"
        "With -simulate it writes the tables of a study whose variability is known instead.",
        examples=(
            "sct_rootlets variability -i out/sub-*/*_spinal_levels.tsv",
            "sct_rootlets variability -i sub-*/ses-*/*_levels.tsv -participants participants.tsv "
            "-by vendor,session",
            "sct_rootlets variability -i raters/*_pmj_distance.csv -by rater -from pmj",
            "sct_rootlets variability -simulate 20x3x2 -planted 5,1.4,1.3 -ofolder study",
        ),
    )
    wanted = parser.mandatory.add_mutually_exclusive_group(required=True)
    options.add_option(
        wanted,
        "-i <file> ...",
        "Tables of levels, one an image: X_spinal_levels.tsv of sct_rootlets run or levels, "
        "with the JSON beside them, or CSV files in the layout of the published script. Subject "
        "and session are in their names or those of their folders (sub-01, ses-1).",
    )
    options.add_option(
        wanted,
        "-simulate <n>x<n>x<n>",
        "Instead of measuring, draw a study of so many subjects a site, sites and sessions "
        "(20x3x2), and write its tables and participants.tsv to -ofolder.",
        type=_counts,
    )
    parser.takes(
        "-participants <file>",
        "participants.tsv as in BIDS: participant_id, one row a subject, or with session_id "
        "or filename one row an image.",
    )
    parser.takes(
        "-by <list>",
        "Factors, separated by commas: columns of participants.tsv (vendor is also called "
        "manufacturer there, site institution_id), or entities of the names (session is ses-, "
        "rater is rater- or desc-, resolution is res- or acq-; any other by its own name). The "
        "first one divides the figure.",
        type=_words,
    )
    parser.takes(
        "-from <str>",
        "Where distances start: pmj, the pontomedullary junction, or c2c3, the disc C2/C3.",
        dest="origin",
        choices=("pmj", "c2c3"),
        default="pmj",
    )
    parser.takes(
        "-status <list>",
        "Levels that count, by their status: measured, interpolated, extrapolated, predicted; "
        "estimated lets borders of measured levels in that are flagged as estimated or cut. "
        "Default: measured.",
        type=_words,
        default=["measured"],
    )
    parser.takes(
        "-o <file>",
        "Table of means and coefficients of variation, .tsv. The other tables and the figures "
        "are named after it.",
        default=Path("variability.tsv"),
    )
    parser.takes("-ofolder <folder>", "Folder for all outputs, made if missing.")
    parser.takes(
        "-resamples <int>",
        "How often the bootstrap draws subjects again, 200 or more.",
        type=values.whole_number,
        default=2000,
    )
    parser.takes(
        "-seed <int>",
        "Seed of the bootstrap, and of -simulate. The same seed gives the same files.",
        type=values.whole_number,
        default=0,
    )
    parser.takes(
        "-planted <list>",
        "With -simulate: coefficients of variation in percent, between subjects, between "
        "sites and between sessions of a subject. Default: 5,1.4,1.3.",
        type=_three,
        default=(5.0, 1.4, 1.3),
    )
    parser.takes("-travelling", "With -simulate: the same subjects go to all sites.")
    options.add_overwrite_option(parser)
    options.add_common_options(parser, execute)


def execute(arguments: argparse.Namespace, console: Console) -> None:
    """Measure, or draw a study."""
    from sct_rootlets.errors import UsageError

    if arguments.simulate is not None:
        if arguments.ofolder is None:
            raise UsageError("-simulate needs -ofolder, the folder for its tables")
        _simulate(arguments, console)
        return
    if arguments.resamples < 200:
        raise UsageError(
            f"-resamples {arguments.resamples} is too few for an interval: 200 or more"
        )
    from sct_rootlets import variability
    from sct_rootlets.files.guards import require_free
    from sct_rootlets.variability.files import study_files
    from sct_rootlets.variability.terminal import summary

    target = arguments.o if arguments.ofolder is None else arguments.ofolder / arguments.o
    overwrite = bool(arguments.overwrite)
    read = [*arguments.i, *([] if arguments.participants is None else [arguments.participants])]
    require_free(study_files(target, arguments.by or ()).values(), read, overwrite=overwrite)
    with console.progress() as progress:
        study = variability.read_study(
            arguments.i, arguments.participants, arguments.by or (), progress=progress
        )
        found = variability.analyse(
            study,
            origin=arguments.origin,
            statuses=arguments.status,
            seed=arguments.seed,
            n_resamples=arguments.resamples,
            progress=progress,
        )
        files = variability.write(found, target, overwrite=overwrite)
    for warning in found.warnings:
        console.warn(warning)
    console.say(summary(found))
    if not any(path.suffix == ".png" for path in files.values()):
        from sct_rootlets.qc.figure import HOW_TO_INSTALL

        console.warn(f"no figures: {HOW_TO_INSTALL}")
    console.files(files.values())


def _simulate(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets import variability

    n_subjects, n_sites, n_sessions = arguments.simulate
    of_subjects, of_sites, of_sessions = arguments.planted
    design = variability.Design(
        n_subjects,
        n_sites,
        n_sessions,
        of_subjects,
        of_sites,
        of_sessions,
        travelling=arguments.travelling,
    )
    files = variability.write_simulated(
        arguments.ofolder, design, arguments.seed, overwrite=bool(arguments.overwrite)
    )
    factors = variability.simulate(design, arguments.seed).factors
    console.say(f"Tables of {n_subjects} x {n_sites} x {n_sessions} simulated images")
    console.files(files.values())
    folder = shown(files["folder"])
    by = [factor for factor in factors if not (arguments.travelling and factor == "vendor")]
    line = f"sct_rootlets variability -i {folder}/sub-*/ses-*/anat/*.tsv"
    line += f" -participants {shown(files['participants'])}"
    console.viewer(line + (f" -by {','.join(by)}" if by else ""))


def _words(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of words separated by commas")
    return words


def _counts(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not subjects x sites x sessions, such as 20x3x2"
        )
    n_subjects, n_sites, n_sessions = map(int, parts)
    return n_subjects, n_sites, n_sessions


def _three(text: str) -> tuple[float, float, float]:
    return values.three(text, "three numbers, such as 5,1.4,1.3")
