"""A stand-in for SCT: the names and the structure that the hook leans on, and no more.

What real SCT has is pinned by test_contract.py; where SCT changes, this changes with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets.sct.task_entries import default_model
from sct_rootlets.store.receipt import Archive, write_receipt
from tests.sct.scratch_environment import ScratchEnvironment, make_environment
from tests.store.tiny import write_fake

REPOSITORY = Path(__file__).parents[2]

LAUNCHER = """\
import re
import sys
from spinalcordtoolbox.compat.launcher import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
"""

FILES = {
    "__init__.py": "",
    "version.txt": "7.4.dev0\n",
    "compat/__init__.py": "",
    "compat/launcher.py": """
        import os, subprocess, sys
        from spinalcordtoolbox import __file__ as package_init_file

        def main():
            command = os.path.basename(sys.argv[0])
            pkg_dir = os.path.dirname(package_init_file)
            script = os.path.join(pkg_dir, "scripts", f"{command}.py")
            if not os.path.exists(script):
                raise FileNotFoundError(script)
            cmd = [sys.executable, script] + sys.argv[1:]
            return subprocess.run(cmd, env=dict(os.environ)).returncode
        """,
    "utils/__init__.py": "",
    "utils/sys.py": """
        import importlib, os, types

        class LazyLoader(types.ModuleType):
            def __init__(self, local_name, parent_module_globals, name):
                self._local_name = local_name
                self._parent_module_globals = parent_module_globals
                super().__init__(name)

            def __getattr__(self, item):
                module = importlib.import_module(self.__name__)
                self._parent_module_globals[self._local_name] = module
                self.__dict__.update(module.__dict__)
                return getattr(module, item)

        __sct_dir__ = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
        __deepseg_dir__ = os.path.join(__sct_dir__, "data", "deepseg_models")
        """,
    "utils/shell.py": """
        import argparse, sys

        class SCTArgumentParser(argparse.ArgumentParser):
            def __init__(self, **kwargs):
                super().__init__(add_help=False, **kwargs)
                self.prog = self.prog.removesuffix(".py")

            def error(self, message):
                self.print_help(sys.stderr)
                self.exit(2, f"{self.prog}: error: {message}")
        """,
    "deepseg/__init__.py": "",
    "deepseg/models.py": '''
        import glob, os
        from spinalcordtoolbox.utils.sys import __deepseg_dir__

        MODELS = {
            "model_seg_spinal_rootlets_nnunet": {
                "url": ["https://example.org/rootlets.zip"],
                "description": "Rootlets of SCT",
                "contrasts": ["t2"],
                "framework": "nnunetv2",
                "thr": None,
                "default": False,
            },
        }
        TASKS = {
            "rootlets": {
                "description": "Rootlets of SCT",
                "long_description": "Rootlets of SCT, at length",
                "url": "https://example.org",
                "models": ["model_seg_spinal_rootlets_nnunet"],
                "citation": None,
            },
        }

        def folder(name_model):
            """Return absolute path of deep learning models."""
            return os.path.join(__deepseg_dir__, name_model)

        def install_model(name_model, custom_url=None):
            print("SCT installs", name_model)

        def find_model_folder_paths(path_model):
            name_model = path_model.rstrip(os.sep).split(os.sep)[-1]
            found = [each[0] for each in os.walk(path_model)
                     if each[0].endswith(name_model) and each[0] != path_model]
            return found if found else [path_model]

        def is_valid(path_models):
            return all(glob.glob(os.path.join(path, "**", "*.pth"), recursive=True)
                       for path in path_models)

        def list_tasks_string():
            lines = []
            for task_name, task in TASKS.items():
                paths = [find_model_folder_paths(folder(each)) for each in task["models"]]
                state = "installed" if all(map(is_valid, paths)) else "not installed"
                lines.append(f"{task_name}: {task['description']}: {state}")
            return "\\n".join(lines)

        def display_list_tasks():
            print(list_tasks_string())
            for task in TASKS.values():
                print(task["long_description"], task["url"])
                print([MODELS[each]["contrasts"] for each in task["models"]])
        ''',
    "scripts/__init__.py": "",
    "scripts/sct_deepseg.py": """
        import argparse, functools, sys
        from spinalcordtoolbox.utils.shell import SCTArgumentParser
        from spinalcordtoolbox.utils.sys import LazyLoader

        models = LazyLoader("models", globals(), "spinalcordtoolbox.deepseg.models")

        class _Details(argparse.Action):
            def __init__(self, option_strings, dest, **kwargs):
                super().__init__(option_strings, dest, nargs=0)

            def __call__(self, parser, namespace, values, option_string=None):
                models.display_list_tasks()
                parser.exit()

        def get_parser(subparser_to_return=None):
            parser = SCTArgumentParser(
                epilog=models.list_tasks_string(),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            parser.add_argument("-task-details", action=_Details)
            parser.add_argument("-h", "--help", action="help")
            subparsers = parser.add_subparsers(metavar="TASK", dest="task")
            parser_dict = {}
            for task_name, task in models.TASKS.items():
                [models.MODELS[each]["thr"] for each in task["models"]]
                all(models.MODELS[each]["framework"] == "nnunetv2" for each in task["models"])
                any(models.MODELS[each].get("cropped_image") for each in task["models"])
                subparser = parser_dict[task_name] = subparsers.add_parser(
                    task_name, description=f"{task['description']} {task['long_description']}")
                subparser.add_argument("-i", nargs="+")
                subparser.add_argument("-install", action="store_true")
                subparser.add_argument("-h", "--help", action="help")
            return parser_dict[subparser_to_return] if subparser_to_return else parser

        for task in models.TASKS.keys():
            globals()[task] = functools.partial(get_parser, task)

        def main(argv):
            parser = get_parser()
            arguments = parser.parse_args(argv)
            if not arguments.task:
                parser.error("You must specify a task")
            if arguments.install:
                for name in models.TASKS[arguments.task]["models"]:
                    models.install_model(name)
                sys.exit(0)
            print("SCT segments", arguments.i, "with", arguments.task, flush=True)

        if __name__ == "__main__":
            main(sys.argv[1:])
        """,
    "scripts/sct_maths.py": """
        import sys
        from spinalcordtoolbox.utils.shell import SCTArgumentParser

        parser = SCTArgumentParser()
        parser.parse_args()
        print(*sorted(sys.modules), sep="\\n")
        """,
}

#: In place of our command: it writes down how it was called, and ends as it is told to.
RECORDER = """
import json, os, signal, sys, time


def main():
    with open(os.environ["RECORD"], "w") as stream:
        json.dump({"words": sys.argv[1:], "path": sys.path, "environment": dict(os.environ),
                   "executable": sys.executable}, stream)
    if "WAIT" in os.environ:
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(0.5)  # longer than subprocess.run would wait before it kills
            print("cleaned up", flush=True)
            return 130
    return int(os.environ.get("STATUS", "0"))
"""

HEAVY = ("numpy", "nibabel", "scipy", "torch", "requests", "matplotlib", "nnunetv2", "dataclasses")


@dataclass
class StandIn:
    """A stand-in SCT in an environment of its own, in which our package is, too.

    Attributes
    ----------
    folder : Path
        ``SCT_DIR``.
    package : Path
        Our package as that environment finds it: links to the real one, which a test may
        replace or remove.
    environment : ScratchEnvironment
    variables : dict
        Environment variables of every command.
    """

    folder: Path
    package: Path
    environment: ScratchEnvironment
    record: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def hook_file(self) -> Path:
        return self.environment.purelib / "sct_rootlets_hook.pth"

    def run(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of SCT by its launcher."""
        return self.execute([self.environment.folder / "bin" / words[0], *words[1:]], status)

    def python(self, code: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a program in the environment's Python."""
        return self.execute([self.environment.python, "-c", textwrap.dedent(code)], status)

    def execute(self, command: list[Any], status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self.variables, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def ours(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run our own command as it is in the repository, in the environment's Python."""
        code = "import sys; from sct_rootlets.cli.main import main; sys.exit(main())"
        return self.execute([self.environment.python, "-c", code, *words], status)

    def write(self, name: str, text: str) -> None:
        """Replace a file of the stand-in SCT."""
        (self.folder / "spinalcordtoolbox" / name).write_text(textwrap.dedent(text))

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a word in a file of the stand-in SCT."""
        path = self.folder / "spinalcordtoolbox" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def own(self, name: str, text: str) -> None:
        """Replace a module of our package, in this environment only."""
        path = self.package / name
        folder = path.parent
        if folder.is_symlink():  # a folder of the repository: link what is in it one by one
            real = folder.resolve()
            folder.unlink()
            folder.mkdir()
            _link(real, folder)
        path.unlink(missing_ok=True)
        path.write_text(textwrap.dedent(text))

    def recorded(self) -> Mapping[str, Any]:
        """Return how our command was called."""
        content: dict[str, Any] = json.loads(self.record.read_text())
        return content


def make_stand_in(folder: Path, *, recorder: bool = True) -> StandIn:
    """Make a stand-in SCT below `folder`, with our package and without the hook.

    With `recorder` our command only writes down how it was called.
    """
    sct = folder / "sct"
    for name, text in FILES.items():
        path = sct / "spinalcordtoolbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    package = folder / "ours" / "sct_rootlets"
    package.mkdir(parents=True)
    _link(REPOSITORY / "sct_rootlets", package)
    manifest = "models_manifest.json"  # inside the package, as the build puts it there
    (package / manifest).symlink_to(REPOSITORY / manifest)
    others = Path(sysconfig.get_path("purelib"))
    environment = make_environment(folder / "environment", [sct, package.parent, others])
    for script in ("sct_deepseg", "sct_maths"):
        environment.add_script(script, LAUNCHER)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SCT_", "PYTHON"))}
    kept["PATH"] = f"{environment.folder / 'bin'}{os.pathsep}{kept['PATH']}"
    home = {"SCT_ROOTLETS_HOME": str(folder / "home"), "RECORD": str(folder / "record.json")}
    made = StandIn(sct, package, environment, folder / "record.json", {**kept, **home})
    if recorder:
        made.own("cli/main.py", RECORDER)
    return made


def install_model(home: Path, name: str, version: str) -> Path:
    """Put a model with its receipt into a store, and return its folder."""
    place = home / "models" / name / version
    place.mkdir(parents=True)
    (place / "checkpoint_final.pth").write_bytes(b"weights")
    write_receipt(place, Archive("", 0, ""), name=name, version=version)
    return place


def copy_of_sct(sct_dir: Path) -> Path:
    """Put the model of our task where SCT installs it, and return its folder."""
    copy = sct_dir / "data" / "deepseg_models" / "model_seg_spinal_rootlets_nnunet"
    folder = write_fake(copy / "nnUNetTrainer__nnUNetPlans__3d_fullres")
    urls = default_model().assets[0].urls
    (copy / "source.json").write_text(json.dumps({"model_urls": urls[0]}))
    return folder


def _link(source: Path, target: Path) -> None:
    for path in source.iterdir():
        if path.name != "__pycache__":
            (target / path.name).symlink_to(path.resolve())
