"""The parser in SCT's style, and the options that several subcommands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from sct_rootlets.cli import values

if TYPE_CHECKING:
    from sct_rootlets.inputs import Landmarks
    from sct_rootlets.levels import LevelOptions
    from sct_rootlets.pipeline import Settings
    from sct_rootlets.store import Choice

__all__ = [
    "Parser",
    "add_analysis_options",
    "add_commands",
    "add_common_options",
    "add_identity_options",
    "add_mirror_option",
    "add_model_options",
    "add_option",
    "add_overwrite_option",
    "add_store_options",
    "add_subcommand",
    "add_volume_option",
    "chosen_model",
    "landmarks",
    "level_options",
    "settings",
]

DEFAULT_REACH_MM = 1.5

_READ_AS = {"<file>": values.path, "<folder>": values.path}


class Parser(argparse.ArgumentParser):
    """Parser with single-dash options in SCT's argument groups.

    Attributes
    ----------
    mandatory, optional, misc : argparse group
        ``MANDATORY``, ``OPTIONAL`` and ``MISC ARGUMENTS``, in this order in the help.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", _HelpFormatter)
        super().__init__(add_help=False, **kwargs)
        self.mandatory = self.add_argument_group("MANDATORY ARGUMENTS")
        self.optional = self.add_argument_group("OPTIONAL ARGUMENTS")
        self.misc = self.add_argument_group("MISC ARGUMENTS")

    def needs(self, form: str, text: str, **how: Any) -> None:
        """Add a mandatory option, as :func:`add_option` does."""
        add_option(self.mandatory, form, text, required=True, **how)

    def takes(self, form: str, text: str, **how: Any) -> None:
        """Add an optional one, as :func:`add_option` does."""
        add_option(self.optional, form, text, **how)

    def error(self, message: str) -> NoReturn:
        """Print the usage and `message`, and exit with status 2."""
        self.exit(
            2,
            f"{self.format_usage()}sct_rootlets: error: {message}\n"
            f"Type '{self.prog} -h' for help.\n",
        )


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help 96 columns wide, with the default of each option and examples kept as typed."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=96)

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        if action.default in (None, argparse.SUPPRESS, False) or "Default" in text:
            return text
        return f"{text} Default: %(default)s."


def add_commands(parser: Parser, dest: str) -> Any:
    """Add -h and subcommands; return what :func:`add_subcommand` adds them to."""
    parser.misc.add_argument("-h", "--help", action="help", help="Show this help and exit.")
    return parser.add_subparsers(
        title="COMMANDS", dest=dest, metavar="COMMAND", parser_class=Parser, required=True
    )


def add_option(group: Any, form: str, text: str, **how: Any) -> None:
    """Add an option to a group of options.

    Parameters
    ----------
    group : argparse group
    form : str
        As the help shows it: ``-fast`` is a switch, ``-o <file>`` takes a word, ``-i <file> ...``
        takes one or more, at once or one by one. A ``<file>`` or ``<folder>`` is a path.
    text : str
        What it is for.
    **how
        What ``add_argument`` has to know besides.
    """
    option, *words = form.split()
    known: dict[str, Any] = {"action": "store_true"}
    if words:
        known = {"metavar": words[0], "type": _READ_AS.get(words[0])}
    if words[1:]:
        known |= {"nargs": "+", "action": "extend"}
    group.add_argument(option, help=text, **{**known, **how})


def add_subcommand(
    subparsers: Any, name: str, *, summary: str, description: str, examples: Sequence[str]
) -> Parser:
    """Add the parser of one subcommand, with its examples under the options."""
    shown = "\n".join(f"  {example}" for example in examples)
    parser: Parser = subparsers.add_parser(
        name, help=summary, description=description, epilog=f"EXAMPLES\n{shown}\n"
    )
    parser.set_defaults(parser=parser)
    return parser


def add_model_options(
    parser: Parser, *, model: str = "", device: str = "", mirror: bool = True
) -> None:
    """Add -model with what goes with it, -device, -threads, -engine and -fast.

    `model` and `device` say what is taken without -model and -device, where the command
    decides that; the defaults are then None. `mirror` adds -test-time-aug.
    """
    parser.takes(
        "-model <str>",
        "Model: 'bundled' (the compact model that comes with this package), a name or "
        "name@version of 'sct_rootlets models list', the path of an nnU-Net v2 rootlets folder "
        "or of a zip of one, or the https:// address of a zip, with -sha256. What is missing is "
        f"installed. {model}".rstrip(),
        default=None if model else "bundled",
    )
    parser.takes(
        "-sha256 <hex>",
        "What the archive of the model must have, 64 hex digits. Other bytes are refused.",
    )
    add_store_options(parser)
    parser.takes(
        "-device <str>",
        "Where the network runs: cpu, cuda, cuda:N, mps, or auto, which takes a CUDA GPU "
        f"if there is one. {device}".rstrip(),
        default=None if device else "auto",
    )
    parser.takes(
        "-threads <int>",
        "Processor threads for the network. By default the cores that this process may "
        "really use: those of its container's or job's CPU quota, and no more than "
        "OMP_NUM_THREADS.",
        type=values.positive_int,
    )
    parser.takes(
        "-engine <str>",
        "What computes the network. 'nnunet': nnU-Net's own predictor, the reference. "
        "'openvino': the fastest on CPUs. 'torch': our own sliding window, for CUDA and MPS. "
        "'auto': the fastest one there is for the device and the model whose result agrees with "
        "the reference.",
        choices=("auto", "nnunet", "openvino", "torch"),
        default="auto",
    )
    parser.takes(
        "-fast",
        "Also accept a reduced precision whose agreement with the reference was not proven "
        "for this model: faster, and some voxels at the edges of rootlets may differ. The "
        "sidecar says that it was used.",
    )
    if mirror:
        add_mirror_option(parser)


def add_mirror_option(parser: Parser) -> None:
    """Add -test-time-aug."""
    parser.takes(
        "-test-time-aug",
        "Average over mirrored views of the image, as far as the model allows it: several "
        "times slower.",
    )


def add_overwrite_option(parser: Parser) -> None:
    """Add -overwrite, as every command that writes has it."""
    parser.takes(
        "-overwrite <int>",
        "1 also replaces files at the names of the results that sct_rootlets did not make, or "
        "that were changed since. Without it such files stay, and nothing is done.",
        type=int,
        choices=(0, 1),
        default=0,
    )


def add_volume_option(parser: Parser) -> None:
    """Add -volume."""
    parser.takes(
        "-volume <int>",
        "Volume of a 4D image to take. The first one is 0, as SCT and FSL count. Only it is "
        "read. Without it a 4D image of several volumes is an error.",
        type=values.whole_number,
    )


def settings(arguments: argparse.Namespace, device: str = "auto") -> Settings:
    """Return what the options of :func:`add_model_options` say about computing.

    `device` is taken where -device has no default of its own.
    """
    from sct_rootlets.pipeline import Settings

    return Settings(
        arguments.device or device,
        arguments.threads,
        arguments.engine,
        arguments.fast,
        arguments.test_time_aug,
    )


def add_store_options(parser: Parser, *, installs: bool = True) -> None:
    """Add -manifest, and where something can be installed -offline and -trust-code."""
    parser.takes(
        "-manifest <file>",
        "Your own manifest, which adds models to those known (also: SCT_ROOTLETS_MANIFEST).",
    )
    if not installs:
        return
    parser.takes(
        "-offline",
        "Never use the network; say what is missing and how to bring it (also: "
        "SCT_ROOTLETS_OFFLINE=1).",
        action="store_const",
        const=True,
    )
    parser.takes(
        "-trust-code",
        "Accept a model that comes with code, or whose checkpoint runs code when it is read "
        "at the installation. Only for models whose authors you trust.",
    )


def add_identity_options(parser: Parser) -> None:
    """Add -discs, -vertfile and -c2c3, which say which spinal level rootlets belong to."""
    vertebrae = parser.optional.add_mutually_exclusive_group()
    add_option(
        vertebrae,
        "-discs <file>",
        "Disc labels, on any grid of the same world: points at the posterior tip of each "
        "disc, of value 3 for C2/C3, 4 for C3/C4, and so on (as of sct_label_utils or "
        "sct_label_vertebrae). C2/C3 alone is enough, at more uncertainty. Needed to name the "
        "levels where the model does not, as the bundled one; and they say how the levels lie "
        "against the vertebrae.",
    )
    add_option(
        vertebrae,
        "-vertfile <file>",
        "In place of -discs: a cord labelled with vertebral levels (as of "
        "sct_label_vertebrae), or points at the centres of the vertebral bodies. C1 = 1 ... C7 = "
        "7, T1 = 8, and so on.",
    )
    parser.takes(
        "-c2c3 <x,y,z>",
        "Posterior tip of the C2/C3 disc in world RAS+ mm (the coordinates FSLeyes shows "
        "as 'Coordinates: Scanner anatomical'), in place of -discs.",
        type=values.point,
    )


def add_analysis_options(parser: Parser) -> None:
    """Add -pmj, and what :func:`level_options` reads."""
    parser.takes(
        "-pmj <file>",
        "Label of the pontomedullary junction (one voxel, value 50), on any grid of the same "
        "world. The table then has the distance of each level from it.",
    )
    parser.takes(
        "-definition <str>",
        "What a spinal level is. 'caudal': from the caudal end of the rootlets of the "
        "level above to the caudal end of its own (Mendez 2021; levels without gaps). "
        "'extent': the stretch where its own rootlets enter the cord. 'midgap': as 'extent', "
        "with borders in the middle of the gaps. 'valosek2024': the published voxel method "
        "(Valosek 2024), to reproduce papers.",
        choices=("caudal", "extent", "midgap", "valosek2024"),
        default="caudal",
    )
    parser.takes(
        "-reach <mm>",
        "Largest distance in mm from the surface of the cord at which rootlets count as "
        "entering it.",
        type=values.positive_float,
        default=DEFAULT_REACH_MM,
    )
    parser.takes(
        "-dilation <int>",
        "With -definition valosek2024: by how many voxels the cord is dilated. Default: 3.",
        type=values.whole_number,
    )
    parser.takes(
        "-extend <level>",
        "Last level of the table, such as T12: levels caudal of those seen are extrapolated "
        "to it, at growing uncertainty. By default T1, and nothing is extrapolated.",
        type=values.spinal_level,
    )
    parser.takes(
        "-renumber",
        "Where the vertebrae contradict the numbering of the rootlets, apply the likeliest "
        "one. Without it a contradiction is only warned of.",
    )
    parser.takes(
        "-axial",
        "Paint whole axial slices with one level. By default a voxel of the cord takes the "
        "level of the point of the centerline that lies nearest.",
    )
    parser.takes(
        "-ocsv <file>",
        "Also write the table in the layout of the published script of Valosek 2024 "
        "(spinal_level, fname, slice_start, ...).",
    )


def landmarks(arguments: argparse.Namespace) -> Landmarks:
    """Return what -discs, -vertfile and -c2c3 name, and -pmj where there is such an option."""
    from sct_rootlets.inputs import Landmarks

    pmj = getattr(arguments, "pmj", None)
    return Landmarks(arguments.discs, arguments.vertfile, arguments.c2c3, pmj)


def level_options(arguments: argparse.Namespace) -> LevelOptions:
    """Return what the options of :func:`add_analysis_options` say about the levels."""
    from sct_rootlets.levels import LevelOptions

    return LevelOptions(
        arguments.definition,
        arguments.reach,
        arguments.dilation,
        arguments.extend,
        arguments.renumber,
        arguments.axial,
    )


def add_common_options(parser: Parser, execute: Any, *, intermediate: str = "") -> None:
    """Add -r (where `intermediate` says what is kept), -v and -h, and what the command does."""
    parser.set_defaults(execute=execute)
    if intermediate:
        add_option(
            parser.misc,
            "-r <int>",
            f"Remove temporary files. 0 keeps {intermediate}.",
            type=int,
            choices=(0, 1),
            default=1,
        )
    add_option(
        parser.misc,
        "-v <int>",
        "Verbosity. 0: errors only, 1: also what is done, warnings and results, "
        "2: also debug messages and the traceback of an error.",
        type=int,
        choices=(0, 1, 2),
        default=1,
    )
    parser.misc.add_argument("-h", "--help", action="help", help="Show this help message and exit.")


def chosen_model(arguments: argparse.Namespace) -> Choice:
    """Return the model that the options of :func:`add_model_options` name; none is empty."""
    from sct_rootlets.store import Choice

    return Choice(
        arguments.model or "",
        sha256=arguments.sha256,
        manifest=arguments.manifest,
        offline=arguments.offline,
        trust_code=arguments.trust_code,
    )
