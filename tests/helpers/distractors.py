"""What tests of distractors share: their number, and the protocols that must honour them."""

NOBODY = 7
PROTOCOLS = [
    "camera",
    "no_camera",
    "paddleclas",
    "self_retrieval",
    "in_shop",
    "single_gallery_shot",
]
