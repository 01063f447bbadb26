import copy
import json
from pathlib import Path

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.report import describe_checkpoint
from mmreid_ext.export.description import as_text, describe, feature_of, require_size
from mmreid_ext.export.plan import ExportPlan


def test_it_says_all_that_a_reader_needs(small):
    plan = ExportPlan(Path("out"), input="uint8")
    found = describe(small.embedder.use, plan, small.file, "tiny.py", "a feature")
    assert json.loads(as_text(found)) == found
    assert found["format"] == 1 and found["precision"] == "fp32"
    image = found["input"]
    assert (image["kind"], image["height"], image["width"]) == ("uint8", 16, 8)
    assert image["mean"] == [123.675, 116.28, 103.53] and image["channel_order"] == "RGB"
    assert [step["type"] for step in image["steps"]] == ["resize"]
    assert found["embedding"]["size"] == 4 and found["embedding"]["feature"] == "a feature"
    known = describe_checkpoint(small.file)
    assert found["model"] == dict(
        file="model.pth", weights=known["weights"], sha256=known["sha256"], config="tiny.py"
    )
    assert [entry["similarity"] for entry in found["thresholds"]] == [0.5]


def test_images_without_a_common_size_are_refused(small):
    use = copy.deepcopy(small.embedder.use)
    use["input"]["height"] = None
    with pytest.raises(UserError, match="no common size"):
        require_size(use)


def test_the_feature_in_words(small):
    assert feature_of(small.embedder.model) == "BNNeckHead: after the batch-norm neck"
