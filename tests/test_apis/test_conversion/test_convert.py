"""Converted networks compute what other programs computed, as far as these were recorded.

The records hold the shapes of the weights and the embeddings; the weights are a function of their
names. Statistics of batch norms are settled on the same images here, by our network: they are those
of the program only if every layer before is.
"""

import pytest
import torch
from helpers.recorded_networks import RECORDED, filling, recorded, weights
from helpers.tools import run_tool
from mmengine.registry import DefaultScope

from mmreid_ext.apis import ReIDInferencer, read_deployment_info
from mmreid_ext.apis.conversion import convert_checkpoint
from mmreid_ext.checkpoint.usage import config_of
from mmreid_ext.checkpoint.weights import load_state, read_checkpoint
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.registry import MODELS

TOLERANCE = 1e-5  # of unit embeddings; statistics of the record were rounded to float32
VISIBLE = 1e-3  # a hundred times that
NETWORKS = sorted(path.stem for path in RECORDED.glob("*.json"))
SMALLEST = "torchreid_osnet_x0_25"


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    torch.save(weights(request.param), folder / "theirs.pth")
    done = convert_checkpoint(folder / "theirs.pth", folder / "ours.pth")
    return recorded(request.param), done, folder / "ours.pth"


def embeddings(checkpoint, images, **changes):
    content = read_checkpoint(checkpoint)
    cfg = config_of(content, checkpoint)
    cfg.model.update(changes)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    load_state(model, content, checkpoint)
    model.eval().double()
    filling.calibrate(model, lambda: model.embed(images))
    with torch.no_grad():
        return model.embed(images)


def difference(found, record):
    theirs = torch.tensor(record["embeddings"])
    return (found[:, : theirs.shape[1]] - theirs).abs().max().item()


def test_unit_embeddings_are_those_of_the_other_program(network):
    record, done, checkpoint = network
    assert done.source.name == record["program"] and done.seen  # guessed
    assert done.fit.complete
    images = filling.images(*record["images"]).double()
    found = embeddings(checkpoint, images)
    assert found.shape[1] == record["size"]
    assert difference(found, record) < TOLERANCE
    # A comparison that nothing wrong can fail proves nothing.
    assert difference(embeddings(checkpoint, images.flip(1)), record) > VISIBLE
    model = config_of(read_checkpoint(checkpoint), checkpoint).model
    if "ResNet" in model.backbone.type:
        pool = None if model.get("stem_pool") else "ceil"
        relu = not model.get("stem_relu", True)
        assert difference(embeddings(checkpoint, images, stem_pool=pool), record) > VISIBLE
        assert difference(embeddings(checkpoint, images, stem_relu=relu), record) > VISIBLE


@pytest.fixture
def theirs(tmp_path):
    torch.save(weights(SMALLEST), tmp_path / "theirs.pth")
    return tmp_path / "theirs.pth"


def test_the_checkpoint_says_how_to_use_it(theirs, tmp_path):
    convert_checkpoint(theirs, tmp_path / "ours.pth")
    info = read_deployment_info(tmp_path / "ours.pth")
    assert info["embedding"]["size"] == 512
    assert info["input"]["channel_order"] == "RGB" and info["input"]["height"] == 256
    (step,) = info["input"]["steps"]
    assert (step["interpolation"], step["backend"]) == ("bilinear", "pillow")
    assert info["network"]["head.test_feature"] == "feats"
    origin = info["converted"]
    assert origin["from"] == "torchreid" and origin["file"] == "theirs.pth" and origin["complete"]
    inferencer = ReIDInferencer(tmp_path / "ours.pth", device="cpu")
    found = inferencer(torch.zeros(2, 3, 80, 40, dtype=torch.uint8))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


def test_a_given_configuration_is_taken_with_the_number_of_identities(theirs, tmp_path):
    done = convert_checkpoint(
        theirs, tmp_path / "ours.pth", "torchreid", "strong_baseline_osnet_x0_25", partial=True
    )
    assert done.options == {"model.head.num_classes": 751} or not done.options
    assert any("head.neck" in name for name in done.fit.missing)
    assert not read_deployment_info(tmp_path / "ours.pth")["converted"]["complete"]


def test_what_does_not_fit_is_refused_and_nothing_is_written(theirs, tmp_path):
    out = tmp_path / "ours.pth"
    with pytest.raises(UserError, match=r"isn't the network of .*missing in the file: head\.neck"):
        convert_checkpoint(theirs, out, "torchreid", "strong_baseline_osnet_x0_25")
    state = weights(SMALLEST) | {"strange.weight": torch.ones(1)}
    torch.save(state, theirs)
    with pytest.raises(UserError, match=r"1 weight, no part of this network: strange\.weight"):
        convert_checkpoint(theirs, out)
    assert not out.exists()
    assert convert_checkpoint(theirs, out, partial=True).fit.unknown
    with pytest.raises(UserError, match="is a checkpoint of this package"):
        convert_checkpoint(out, tmp_path / "again.pth")
    with pytest.raises(MissingFileError, match="No file"):
        convert_checkpoint(tmp_path / "none.pth", out)


def test_a_whole_pickled_network_is_refused_with_the_remedy(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(UserError, match=r"torch\.save\(model\.state_dict\(\), path\)"):
        convert_checkpoint(tmp_path / "whole.pth", tmp_path / "ours.pth")


def test_the_tool_reports_what_it_did(theirs, tmp_path, monkeypatch, capsys):
    out = tmp_path / "ours.pth"
    run_tool("convert", monkeypatch, theirs, "--out", out)
    text = capsys.readouterr().out
    assert "taken for torchreid (it has conv2.0.conv2a.conv1.weight)" in text
    assert "567 weights taken over" in text and "model.backbone.width=0.25" in text
    assert "512 numbers, the pooled feature; images: 256 x 128, bilinear by pillow, RGB" in text
    assert f"next: python tools/test.py configs/migrated/torchreid_osnet.py {out}" in text or (
        "torchreid_osnet.py" in text
    )
    with pytest.raises(SystemExit, match="is the file to convert"):
        run_tool("convert", monkeypatch, theirs, "--out", theirs)
