"""The programs whose checkpoints can be converted, by name; one file each.

The order is that of guessing: a program whose signs are particular stands before one whose names
others have, too.
"""

from mmreid_ext.checkpoint.converting.source import Source

from .clip_reid import CLIP_REID
from .fastreid import FASTREID
from .metabin import METABIN
from .paddleclas import PADDLECLAS
from .solider import SOLIDER
from .strong_baseline import STRONG_BASELINE
from .timm import TIMM
from .torchreid import TORCHREID
from .torchvision import TORCHVISION
from .transreid import TRANSREID

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        *(PADDLECLAS, METABIN, FASTREID, STRONG_BASELINE, TRANSREID, CLIP_REID, SOLIDER),
        *(TORCHREID, TIMM, TORCHVISION),
    )
}
"""All programs, by what ``--from`` takes."""
