"""Who reads files of which kind: tools and Python interfaces."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmreid_ext.shorten import one_line

from .world import World

Action = Callable[[], None]


@dataclass(frozen=True)
class Entry:
    """A way into the package.

    Attributes:
        name: For the table.
        kind: Kind of the files that it reads.
        action: Returns what to call, given the world and a file.
        reports: Whether exit code 1 may be a report instead of an error.
        telling: Whether the short form tries it.
    """

    name: str
    kind: str
    action: Callable[[World, Path], Action]
    reports: bool = False
    telling: bool = False


def run_script(tools: Path, name: str, *arguments: object) -> None:
    """Call the ``main`` of a tool with these arguments, as a program."""
    path = tools / f"{name}.py"
    spec = importlib.util.spec_from_file_location("the_tool", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    sys.argv = [str(path), *map(str, arguments)]
    module = importlib.util.module_from_spec(spec)
    sys.modules["the_tool"] = module
    spec.loader.exec_module(module)
    module.main()


def entries() -> list[Entry]:
    """All of them."""
    return [*_of_checkpoints(), *_of_configurations(), *_of_documents(), *_of_pictures()]


def _tool(kind: str, label: str, command: str, **options: Any) -> Entry:
    """An entry of a command line; ``FILE``, ``CONFIG`` and folders of the world are filled in."""

    def action(world: World, file: Path) -> Action:
        places = {"FILE": file, "CONFIG": world.config}
        words = [_filled(word, places, world) for word in command.split()]
        return lambda: run_script(world.tools, *words)

    return Entry(label, kind, action, **options)


def _filled(word: str, places: dict[str, Path], world: World) -> str:
    for name, path in places.items():
        word = word.replace(name, str(path))
    for folder in ("data", "base", "work"):
        word = word.replace(f"{folder.upper()}/", f"{world.root / folder}/")
    return word


def _python(kind: str, label: str, call: Callable[[World, Path], Any], **options: Any) -> Entry:
    """An entry from Python; its errors are told as a tool tells them."""

    def action(world: World, file: Path) -> Action:
        def main() -> None:
            call(world, file)

        def run() -> None:
            from mmreid_ext.cli.errors import run_tool

            run_tool(main)

        return run

    return Entry(label, kind, action, **options)


def _of_checkpoints() -> list[Entry]:
    train = "train CONFIG --work-dir WORK/run"
    return [
        _tool("checkpoint", "train --resume", f"{train} --resume FILE", telling=True),
        _tool("checkpoint", "train load_from", f"{train} --cfg-options load_from=FILE"),
        _tool("checkpoint", "train --init-weights", f"{train} --init-weights FILE"),
        _tool("checkpoint", "test", "test CONFIG FILE --no-thresholds --work-dir WORK/run"),
        _tool("checkpoint", "embed", "embed FILE DATA/ --out WORK/f.npz --workers 1"),
        _tool("checkpoint", "same", "same DATA/1.png DATA/2.png --model FILE"),
        _tool("checkpoint", "search", "search DATA/1.png --gallery BASE/photos --model FILE"),
        _tool("checkpoint", "gallery add", "gallery add WORK/p.db BASE/photos --model FILE"),
        _tool("checkpoint", "export", "export FILE --out WORK/exported --format torchscript"),
        _python("checkpoint", "ReIDInferencer", _infer, telling=True),
        _python("checkpoint", "MMEngine's inferencer", _infer_by_mmengine),
    ]


def _of_configurations() -> list[Entry]:
    return [
        _tool("configuration", "train", "train FILE --work-dir WORK/run", telling=True),
        _tool("configuration", "test", "test FILE BASE/iter_2.pth --work-dir WORK/run"),
        _tool("configuration", "check_dataset", "check_dataset FILE", reports=True),
        _tool("configuration", "embed", "embed FILE BASE/iter_2.pth DATA/ --out WORK/f.npz"),
        _tool("configuration", "export", "export FILE BASE/iter_2.pth --out WORK/exported"),
        _python(
            "configuration",
            "ReIDInferencer",
            lambda world, file: _infer(world, world.base / "iter_2.pth", file),
        ),
    ]


def _of_documents() -> list[Entry]:
    rank = "--out-dir WORK/pages --image-root DATA/"
    return [
        _tool("features", "evaluate", "evaluate FILE --out WORK/r.json", telling=True),
        _tool("features", "visualize_ranks", f"visualize_ranks FILE {rank}"),
        _tool("features", "export_ranks", "export_ranks FILE --out WORK/r.csv"),
        _tool("features", "plot_embeddings", "plot_embeddings FILE --out WORK/map.png"),
        _tool("features", "search", "search DATA/1.png --gallery FILE --model BASE/iter_2.pth"),
        _tool("features", "gallery add", "gallery add WORK/p.db FILE"),
        _tool("results", "compare", "compare FILE BASE/results.json", telling=True),
        _tool("results", "compare as B", "compare BASE/results.json FILE --out WORK/c.json"),
        _tool("csv", "train", "train DATA/tiny.py --work-dir WORK/run --cfg-options " + _CSV),
        _tool("csv", "check_dataset", "check_dataset FILE", reports=True, telling=True),
        _tool("csv", "prepare_folder", "prepare_folder FILE --out WORK/made --model r18"),
        _tool("csv", "embed", "embed BASE/iter_2.pth FILE --out WORK/f.npz"),
        _tool("pairs", "same --pairs", "same --pairs FILE --model BASE/iter_2.pth"),
        _python("split", "fixed splits", _read_splits, telling=True),
        _tool("gallery", "gallery info", "gallery info FILE --json"),
        _tool(
            "gallery", "gallery search", "gallery search FILE DATA/1.png --model BASE/iter_2.pth"
        ),
        _tool("coco", "prepare_folder", "prepare_folder FILE --out WORK/made --frames DATA/"),
    ]


_MODEL = "--model BASE/iter_2.pth"
_CSV = "train_dataloader.dataset.csv_file=FILE"


def _of_pictures() -> list[Entry]:
    return [
        _tool("picture", "same", f"same FILE DATA/2.png {_MODEL}", telling=True),
        _tool(
            "picture", "search", f"search FILE --gallery BASE/photos {_MODEL} --html WORK/f.html"
        ),
        _tool("exported", "same", "same DATA/1.png DATA/2.png --model FILE"),
        _tool("exported", "embed", "embed FILE DATA/ --out WORK/f.npz"),
        _python("exported", "serve's model", _open_embedder),
    ]


def _infer(world: World, checkpoint: Path, config: Path | None = None) -> None:
    from mmreid_ext.apis import ReIDInferencer

    inferencer = ReIDInferencer(config, checkpoint, device="cpu")
    print(inferencer(str(world.data / "1.png")).shape)


def _infer_by_mmengine(world: World, file: Path) -> None:
    from mmengine.config import Config
    from mmengine.infer import BaseInferencer
    from mmengine.registry import init_default_scope

    import mmreid_ext.registry  # noqa: F401  # installs what this entry is about
    from mmreid_ext.errors import UserError

    class Inferencer(BaseInferencer):
        """Builds the model, as all of MMEngine's do, and no more."""

        def __init__(self) -> None:
            pass

        visualize = postprocess = _init_pipeline = __init__  # type: ignore[assignment]

    try:
        init_default_scope("mmpretrain")  # as MMPretrain's do
        Inferencer()._init_model(Config(), str(file), "cpu")
    except UserError:
        raise
    except Exception as error:  # what MMEngine says of odd files is MMEngine's
        raise UserError(f"{type(error).__name__}: {one_line(error, 100)!r}") from error


def _read_splits(world: World, file: Path) -> None:
    from mmreid_ext.protocols.split_files import read_splits

    print(len(read_splits(file).splits))


def _open_embedder(world: World, file: Path) -> None:
    from mmreid_ext.deploy import Embedder

    print(Embedder(str(file))([str(world.data / "1.png")]).shape)
