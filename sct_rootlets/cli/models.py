"""``sct_rootlets models``: the models there are, and those that are installed."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import TYPE_CHECKING, Any

from sct_rootlets.cli import options, values
from sct_rootlets.cli.console import Console, shown

if TYPE_CHECKING:
    from sct_rootlets.errors import StoreError

__all__ = ["add_parser"]


def add_parser(subparsers: Any) -> None:
    """Add the parser of this subcommand, and those of its own subcommands."""
    parser = options.add_subcommand(
        subparsers,
        "models",
        summary="List, install, verify, export and remove models.",
        description="List the models there are, and install, verify, export and remove them.",
        examples=(
            "sct_rootlets models list",
            "sct_rootlets models install rootlets",
            "sct_rootlets models install rootlets -from-file model.zip",
        ),
    )
    nested = options.add_commands(parser, "models_command")
    for add in (_list, _show, _install, _verify, _path, _export, _remove):
        add(nested)


def _list(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "list",
        summary="Show the models there are as a table.",
        description="Show every model that a manifest lists or that is installed: version, "
        "contrasts, levels, size,\nwhether it is installed, damaged or unreadable, and where.",
        examples=("sct_rootlets models list", "sct_rootlets models list -json"),
    )
    _finish(parser, _execute_list, as_json=True)


def _show(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "show",
        summary="Show what is known of a model.",
        description="Show all that the manifest says of a model, and its installation.",
        examples=("sct_rootlets models show rootlets@r20250318",),
    )
    _add_name(parser)
    _finish(parser, _execute_show, as_json=True)


def _install(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "install",
        summary="Install a model, or check that it is installed and whole.",
        description="Install a model into the store (SCT_ROOTLETS_HOME, else the platform's data "
        "folder). One that is\ninstalled is verified: a whole one stays, a damaged one is "
        "replaced. Other versions stay.\n\n"
        "Where nobody has published a hash, the first one seen is recorded in "
        "the lock file models.lock.json\nof the store (or the one that SCT_ROOTLETS_LOCK names), "
        "and other bytes are refused from then on.",
        examples=(
            "sct_rootlets models install rootlets",
            "sct_rootlets models install rootlets@r20250318 -from-file model.zip",
            "sct_rootlets models install https://example.org/model.zip -sha256 HEX",
        ),
    )
    _add_name(
        parser,
        "Name or name@version of 'models list', path of a zip, or https:// address. With "
        "-from-file also the name@version that 'models export' has printed.",
    )
    parser.takes(
        "-from-file <file>",
        "Archive of this model on this disk, used in place of a download: the original one, "
        "or a zip of 'models export'.",
    )
    parser.takes(
        "-sha256 <hex>", "What the archive must have, 64 hex digits. Other bytes are refused."
    )
    parser.takes(
        "-accept-change <name@version>",
        "Accept that this version has other bytes than those recorded at the first install; "
        "it is installed anew.",
    )
    options.add_store_options(parser)
    _finish(parser, _execute_install, with_manifest=False)


def _verify(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "verify",
        summary="Compare installed models with their receipts.",
        description="Hash every file of one installed model, or of all, and compare with the "
        "receipt, and the receipt\nwith the lock file. Says what is wrong, and exits with status 1 "
        "if something is.",
        examples=("sct_rootlets models verify", "sct_rootlets models verify rootlets@r20250318"),
    )
    _add_name(parser, "Name or name@version; by default all that is installed.", nargs="?")
    _finish(parser, _execute_verify)


def _path(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "path",
        summary="Print the folder of an installed model.",
        description="Print the nnU-Net folder of an installed model, for scripts. Installs "
        "nothing.",
        examples=("sct_rootlets models path rootlets",),
    )
    _add_name(parser)
    _finish(parser, _execute_path)


def _export(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "export",
        summary="Pack an installed model for a machine without a network.",
        description="Pack an installed model into a zip that carries its receipt. Prints the "
        "command that installs it\nelsewhere under the same name, with the sha256 of the zip.",
        examples=("sct_rootlets models export rootlets -o rootlets.zip",),
    )
    _add_name(parser)
    parser.needs("-o <file>", "Zip to write.", type=values.zip_output)
    options.add_overwrite_option(parser)
    _finish(parser, _execute_export)


def _remove(nested: Any) -> None:
    parser = options.add_subcommand(
        nested,
        "remove",
        summary="Remove one version of an installed model.",
        description="Remove one version of an installed model, damaged or not, from your own "
        "store. Its hash stays recorded.",
        examples=("sct_rootlets models remove rootlets@r20240129",),
    )
    _add_name(parser, "name@version.")
    _finish(parser, _execute_remove)


def _add_name(
    parser: options.Parser, text: str = "Name or name@version of 'models list'.", **how: Any
) -> None:
    parser.mandatory.add_argument("name", metavar="NAME", help=text, **how)


def _finish(
    parser: options.Parser, execute: Any, *, as_json: bool = False, with_manifest: bool = True
) -> None:
    if as_json:
        parser.takes("-json", "Print JSON, for scripts, in place of a table.")
    if with_manifest:
        options.add_store_options(parser, installs=False)
    options.add_common_options(parser, execute)


def _execute_list(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.store.catalogue import list_models
    from sct_rootlets.store.catalogue_text import format_table

    rows = list_models(arguments.manifest)
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    console.say(format_table(rows))


def _execute_show(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.store.catalogue import show_model
    from sct_rootlets.store.catalogue_text import format_model

    content = show_model(arguments.name, arguments.manifest)
    if arguments.json:
        print(json.dumps(content, indent=1, ensure_ascii=False))
        return
    console.say(format_model(content))


def _execute_install(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.store import install
    from sct_rootlets.store.locate import what_to_install

    what = what_to_install(
        arguments.name,
        manifest=arguments.manifest,
        file=arguments.from_file,
        sha256=arguments.sha256,
    )
    if what is None:
        console.say(f"{arguments.name} is there already.")
        return
    with console.progress() as progress:
        model = install(
            what,
            accept_change=arguments.accept_change,
            trust_code=arguments.trust_code,
            offline=arguments.offline,
            progress=progress,
        )
    console.say(f"{model.reference} is installed and whole: {shown(model.folder)}")


def _execute_verify(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.errors import IntegrityError
    from sct_rootlets.store.catalogue import all_places, closed_stores, places_of, verify_place

    closed: list[StoreError] = []
    if arguments.name is None:
        places = all_places(arguments.manifest)
        closed = closed_stores()
    else:
        places = places_of(arguments.name, arguments.manifest)
    damaged = {}
    for place in places:
        problems = verify_place(place, arguments.manifest)
        console.say(f"{place.reference}: {'; '.join(problems) or 'whole'} ({place.folder})")
        if problems:
            damaged[place.reference] = problems
    for error in closed:
        console.say(f"{error.path}: {error.problem}")
    if not places and not closed:
        console.say("No model is installed.")
    if damaged or closed:
        raise IntegrityError(
            f"{', '.join([*damaged, *(str(error.path) for error in closed)])}: not as installed",
            remedy="What is wrong stands above. 'sct_rootlets models install NAME@VERSION' repairs "
            "a damaged model, and 'sct_rootlets models remove NAME@VERSION' removes it",
        )


def _execute_path(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.errors import ModelError
    from sct_rootlets.manifest import InstalledModel
    from sct_rootlets.store.installed import conditions
    from sct_rootlets.store.locate import locate_here

    found = locate_here(arguments.name, manifest=arguments.manifest)
    if not isinstance(found, InstalledModel):
        for there in conditions(found.name, found.version):
            if there.problems:
                raise there.error()
        raise ModelError(
            f"{found.reference} is not installed",
            remedy=f"Type: sct_rootlets models install {arguments.name}",
        )
    print(found.folder)


def _execute_export(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.store.catalogue import places_of
    from sct_rootlets.store.installed import export, receipt_of

    place, *_ = places_of(arguments.name, arguments.manifest)
    sha256 = export(place, arguments.o, overwrite=bool(arguments.overwrite))
    console.say(f"{place.reference} is packed in {shown(arguments.o)}, sha256 {sha256}")
    words = [*["sct_rootlets", "models", "install"], place.reference]
    words += ["-from-file", arguments.o.name, "-sha256", sha256]
    if receipt_of(place).trusted_code:
        console.say("It was installed with -trust-code, and has to be there.")
        words.append("-trust-code")
    console.say("There, type:")
    console.say(shlex.join(words))


def _execute_remove(arguments: argparse.Namespace, console: Console) -> None:
    from sct_rootlets.errors import UsageError
    from sct_rootlets.store.catalogue import places_of
    from sct_rootlets.store.installed import remove

    if "@" not in arguments.name:
        raise UsageError(
            f"{arguments.name} names no version, and only one version is removed at a time",
            remedy="Type NAME@VERSION of 'models list'",
        )
    places = places_of(arguments.name, arguments.manifest)
    own = [place for place in places if place.store.writable]
    remove((own or places)[0])
    console.say(f"{places[0].reference} is removed.")
    for place in places:
        if not place.store.writable:
            console.say(
                f"It is also in a store that is only read here, and stays there: {place.folder}"
            )
