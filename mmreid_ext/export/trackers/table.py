"""Facts about the trackers that an export must satisfy, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmreid_ext.export.normalization import IMAGENET, IMAGENET_ON_BGR, Normalization


@dataclass(frozen=True)
class Tracker:
    """Demands of one tracker package on a model file.

    Attributes:
        title: Its name for people.
        package: Its package and the version that the facts were read and measured in.
        licence: Of the package; none of its code is in this one.
        formats: Formats that it loads, the best first; see :data:`.plan.FORMATS`.
        refused: Formats that it takes and gets wrong, with the reason.
        input: One of :data:`.plan.INPUTS`.
        outside: How it normalises crops before it calls the file; None: see ``input``.
        size: Height and width that it resizes to; None: those of the file.
        cuts: Whether it cuts people out of the frame itself.
        enlarges: Factor and pixels by which it makes a box wider and higher before it cuts.
        name: Name of the file without its ending, unless the user gives one.
        name_parts: The name must hold one of these; empty: no such rule.
        name_bans: The name must not hold any of these.
        reasons: Why, by the name of an attribute, in one sentence each.
    """

    title: str
    package: str
    licence: str
    formats: tuple[str, ...]
    input: str
    outside: Normalization | None = None
    size: tuple[int, int] | None = None
    cuts: bool = True
    enlarges: tuple[float, float] = (1.0, 0.0)
    refused: dict[str, str] = field(default_factory=dict)
    name: str = "model"
    name_parts: tuple[str, ...] = ()
    name_bans: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)


TRACKERS = {
    "boxmot": Tracker(
        title="BoxMOT",
        package="boxmot 25.0.0",
        licence="AGPL-3.0",
        formats=("onnx", "openvino", "torchscript"),
        input="normalized",
        outside=IMAGENET,
        name_bans=("vehicleid", "veri"),
        reasons={
            "formats": "It takes the first input and output of an ONNX file; beside OpenVINO and "
            "TorchScript a side-car must say the size, or it assumes 256 x 128.",
            "outside": "It always turns crops to RGB, divides by 255 and applies ImageNet's mean "
            "and deviation.",
            "name_bans": "Names with these words count as networks of vehicles, of 256 x 256.",
        },
    ),
    "ultralytics": Tracker(
        title="Ultralytics",
        package="ultralytics 8.4.190",
        licence="AGPL-3.0",
        formats=("onnx",),
        input="rgb01",
        enlarges=(1.02, 10.0),
        refused={
            "openvino": "it feeds 224 x 224 pixels to it, and the call fails",
            "torchscript": "it feeds 224 x 224 pixels to it, and the embeddings are silently wrong",
        },
        name_bans=tuple(f"yolo26{size}-reid" for size in "nsmlx"),
        reasons={
            "input": "It only divides by 255; without mean and deviation inside, the cosine to the "
            "right embedding was 0.95, and no message says so.",
            "enlarges": "It makes every box 1.02 times as large and 10 pixels more, then cuts.",
            "name_bans": "These are names of its own models, which it downloads.",
        },
    ),
    "strongsort": Tracker(
        title="StrongSORT",
        package="strongsort 0.2.1",
        licence="MIT",
        formats=("onnx", "torchscript"),
        input="normalized",
        outside=IMAGENET_ON_BGR,
        size=(256, 128),
        refused={
            "openvino": "it imports openvino.runtime, which OpenVINO has had no more since 2026"
        },
        name="model_osnet_x0_25",
        name_parts=(
            *("resnet50", "mlfn", "hacnn", "mobilenetv2_x1_0", "mobilenetv2_x1_4"),
            *("osnet_x1_0", "osnet_x0_75", "osnet_x0_5", "osnet_x0_25"),
            *("osnet_ibn_x1_0", "osnet_ain_x1_0"),
        ),
        name_bans=(".",),
        reasons={
            "outside": "It gives crops of a frame as they are, which is BGR when OpenCV reads it, "
            "with the numbers of RGB; the file undoes that.",
            "size": "It always resizes to 256 x 128.",
            "name_parts": "It builds the network that the name says, and throws it away; without "
            "one of these names it stops. The smallest is osnet_x0_25.",
            "name_bans": "It looks for endings anywhere in the name.",
        },
    ),
    "deepsort": Tracker(
        title="DeepSORT",
        package="deep-sort-realtime 1.3.2",
        licence="MIT",
        formats=("onnx", "openvino"),
        input="normalized",
        cuts=False,
        refused={"torchscript": "Embedder, which makes its vectors, doesn't run TorchScript"},
        reasons={
            "formats": "It loads no file of ours: it takes vectors, which Embedder makes.",
        },
    ),
}
"""What each value of ``--for`` means."""
