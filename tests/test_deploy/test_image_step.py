"""Steps are read as a checkpoint records them."""

import pytest

from mmreid_ext.deploy.image_step import ImageStep, read_steps, written_steps
from mmreid_ext.deploy.record_fields import Fields
from mmreid_ext.errors import UserError

STEPS = [
    {
        "type": "resize_edge",
        "edge": "short",
        "size": 36,
        "interpolation": "bilinear",
        "backend": "pillow",
    },
    {"type": "center_crop", "height": 32, "width": 16},
]


def read(steps):
    return read_steps(Fields({"steps": steps}, "input.", "m.onnx"))


def test_steps_survive_reading_and_writing():
    found = read(STEPS)
    assert found[1] == ImageStep("center_crop", 32, 16)
    assert written_steps(found) == STEPS


def test_no_backend_is_opencv():
    assert read([{**STEPS[0], "backend": None}])[0].backend == "cv2"


@pytest.mark.parametrize(
    "step, named",
    [
        ({**STEPS[0], "edge": "left"}, "edge"),
        ({**STEPS[0], "size": 0}, "size"),
        ({**STEPS[0], "interpolation": "area"}, "interpolation"),
        ({"type": "center_crop", "height": 3}, "width"),
        ({"type": "Normalize"}, "type is 'Normalize'"),
    ],
)
def test_a_wrong_step_is_named(step, named):
    with pytest.raises(UserError, match=rf"^m.onnx: input.steps\[0\].{named}"):
        read([step])


def test_a_record_can_not_ask_for_hours_of_resizing():
    large = dict(type="resize", height=4096, width=4096, interpolation="bilinear", backend="cv2")
    assert len(read([large] * 8)) == 8
    with pytest.raises(UserError, match="steps"):
        read([large] * 9)
    with pytest.raises(UserError, match="height"):
        read([dict(large, height=4097)])
