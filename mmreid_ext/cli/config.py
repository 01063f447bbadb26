"""Arguments that name a configuration and change it, and what they make of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.output_files.writable import is_path_text
from mmreid_ext.shorten import one_line

from .config_keys import check_file_keys, check_inner_keys, check_option_keys
from .config_options import ConfigOptions
from .own_modules import look_beside
from .ranks import choose_launcher

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config


def add_launch_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that every OpenMMLab tool has."""
    parser.add_argument(
        "--work-dir", help="folder of logs and checkpoints (default: work_dirs/<config name>)"
    )
    parser.add_argument(
        "--seed", type=int, help="seed of everything random (default: the configuration's)"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=ConfigOptions,
        metavar="KEY=VALUE",
        help='change settings of the configuration, e.g. model.head.num_classes=150 key="[a,b]" '
        'key="dict(a=1)"',
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm"],
        help="job launcher (default: the one that started this process)",
    )
    # torchrun speaks through the environment, torch.distributed.launch through this argument.
    parser.add_argument(
        "--local_rank", "--local-rank", type=int, default=0, help="set by the launcher"
    )


def load_config(args: Namespace) -> Config:
    """Read the configuration and lay the common arguments over it.

    Raises:
        MissingFileError: If there is no such configuration; names the folder's configurations.
        UserError: If the file can't be read, if nothing reads a key of it, or if an option has no
            effect or the work folder is none.
    """
    path = Path(args.config)
    if not path.suffix:  # `mim train mmreid_ext metabin_r50`: the name that `mim search` shows
        path = path.with_suffix(".py")
    cfg = read_config(path)
    check_file_keys(dict(cfg.items()), path.name)
    if args.cfg_options:
        check_option_keys(args.cfg_options, dict(cfg.items()), path.name)
        _merge(cfg, args.cfg_options)
        check_inner_keys(dict(cfg.items()), path.name)
    cfg.launcher = choose_launcher(args.launcher, cfg.get("launcher"))
    if args.seed is not None:
        cfg.setdefault("randomness", {})
        cfg.randomness.seed = args.seed
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or str(Path("work_dirs") / path.stem)
    check_folder("--work-dir", cfg.work_dir)
    return cfg


def read_config(path: Path) -> Config:
    """Read a configuration file; it finds modules beside itself and in the current folder.

    Raises:
        MissingFileError: If there is no such file; names the folder's configurations.
        UserError: If it can't be read. Whatever goes wrong in there is the file's.
    """
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.py")) if path.parent.is_dir() else []
        hint = f" {path.parent} has: {', '.join(near)}." if near else ""
        raise MissingFileError(f"No configuration {path}.{hint}")
    look_beside(Path())
    look_beside(path.parent)
    from mmreid_ext.config_files import read_config_file  # heavy; --help stays quick

    return read_config_file(path)


def check_folder(option: str, folder: Any) -> None:
    """Raise unless ``folder`` is one, or can be made.

    It may come from a configuration of a stranger, and is printed.

    Raises:
        UserError: If it, or a folder that it is to lie in, is a file, or if it is no name.
    """
    if not isinstance(folder, (str, Path)) or not is_path_text(str(folder)):
        raise UserError(f"{option} {one_line(folder)!r} is no name of a folder; give another.")
    for path in (Path(folder), *Path(folder).parents):
        if path.is_dir():
            return
        if path.exists():
            raise UserError(f"{option} {folder}: {path} is a file, not a folder; name another.")


def _merge(cfg: Config, options: dict) -> None:
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, AssertionError, AttributeError, ValueError) as error:
        text = error.args[0] if error.args else error
        raise UserError(f"--cfg-options {' '.join(options)}: {text}") from error
