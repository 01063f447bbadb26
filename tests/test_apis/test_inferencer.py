from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool
from mmcv.transforms import Compose, LoadImageFromFile
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.apis import inferencer as module
from mmreid_ext.apis.embedder import prepare, read_frame
from mmreid_ext.apis.inferencer import find_config
from mmreid_ext.apis.pictures import regions
from mmreid_ext.apis.search import nearest
from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.results.features_file import load_features, save_features
from mmreid_ext.registry import DATASETS, MODELS, TRANSFORMS


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """A configuration, an untrained checkpoint of it, and image files."""
    folder = tmp_path_factory.mktemp("inferencer")
    cfg = Config.fromfile(find_config("metabin_r18_synthetic"))
    cfg.model.backbone.update(base_channels=8, stem_channels=8)
    cfg.model.head.in_channels = 64
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    model.eval()
    torch.save({"state_dict": model.state_dict()}, folder / "model.pth")
    generator = np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(5)]
    for path in paths:
        cv2.imwrite(str(path), generator.integers(0, 255, (96, 40, 3), np.uint8))
    return cfg, model, folder / "model.pth", paths


def test_embeddings_are_those_of_testing(setting, tmp_path):
    cfg, model, checkpoint, paths = setting
    listing = tmp_path / "list.csv"
    roles = ["query", "query", "gallery", "gallery", "gallery"]
    rows = [f"{p},{i % 2},{i % 3},{roles[i]}" for i, p in enumerate(paths)]
    listing.write_text("\n".join(["path,pid,camid,split", *rows]))
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        dataset = DATASETS.build(
            dict(
                type="mmreid_ext.CSVDataset",
                csv_file=str(listing),
                mode="test",
                loader=cfg.test_dataloader.dataset.loader,
                pipeline=cfg.test_dataloader.dataset.pipeline,
            )
        )
    inputs = torch.stack([dataset[i]["inputs"] for i in range(len(dataset))])
    data = model.data_preprocessor({"inputs": inputs}, training=False)
    with torch.no_grad():
        expected = model(data["inputs"], mode="tensor")
    found = ReIDInferencer(cfg, checkpoint, device="cpu", batch_size=2)(paths)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)  # batches round differently
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))


def test_files_and_arrays_agree_and_one_image_is_a_batch_of_one(setting):
    cfg, _, checkpoint, paths = setting
    inferencer = ReIDInferencer(cfg, checkpoint, device="cpu")
    arrays = [cv2.imread(str(path)) for path in paths]
    assert torch.equal(inferencer(paths), inferencer(arrays))
    assert inferencer(paths[0]).shape == inferencer(arrays[0]).shape == (1, 64)
    assert inferencer([]).shape == (0, 64)


def test_an_embedding_is_shorter_than_the_feature_it_is_made_of(setting, tmp_path):
    cfg = Config.fromfile(find_config("arcmargin_r18_market150_eml"))
    cfg.model.backbone.update(base_channels=8, stem_channels=8)
    cfg.model.head.update(in_channels=64, embedding_dim=12)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / "model.pth")
    inferencer = ReIDInferencer(cfg, tmp_path / "model.pth", device="cpu")
    assert inferencer(setting[3][:2]).shape == (2, 12)
    assert inferencer([]).shape == (0, 12)


def test_bad_input_is_named(setting):
    cfg, _, checkpoint, paths = setting
    inferencer = ReIDInferencer(cfg, checkpoint, device="cpu")
    with pytest.raises(ValueError, match=r"Image 1 has shape \(4, 4, 2\)"):
        inferencer([cv2.imread(str(paths[0])), np.zeros((4, 4, 2), np.uint8)])
    with pytest.raises(FileNotFoundError, match="missing.jpg"):
        inferencer("missing.jpg")
    with pytest.raises(FileNotFoundError, match="metabin_r50"):
        find_config("metabin_r5000")
    with pytest.raises(ValueError, match="batch_size"):
        ReIDInferencer(cfg, checkpoint, batch_size=0)


# One path from images to embeddings

PIPELINES = {
    "two transforms": [
        dict(type="LoadImageFromFile"),
        dict(type="Resize", scale=(32, 64), interpolation="bicubic"),
        dict(type="mmreid_ext.PackReIDInputs"),
    ],
    "LoadResized": [
        dict(type="mmreid_ext.LoadResized", scale=(32, 64)),
        dict(type="mmreid_ext.PackReIDInputs"),
    ],
    "floats": [
        dict(type="LoadImageFromFile", to_float32=True),
        dict(type="Resize", scale=(32, 64)),
        dict(type="mmreid_ext.PackReIDInputs"),
    ],
}


def tensor_of(image):
    return torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))


KINDS = {
    "paths": lambda paths, arrays: [str(path) for path in paths],
    "folder": lambda paths, arrays: paths[0].parent,
    "generator of paths": lambda paths, arrays: (path for path in paths),
    "arrays": lambda paths, arrays: arrays,
    "stack": lambda paths, arrays: np.stack(arrays),
    "tensors": lambda paths, arrays: [tensor_of(array) for array in arrays],
    "stack of tensors": lambda paths, arrays: torch.stack([tensor_of(a) for a in arrays]),
    "PIL": lambda paths, arrays: [Image.open(path) for path in paths],
    "BGRA": lambda paths, arrays: [
        np.dstack([array, np.full(array.shape[:2], 255, np.uint8)]) for array in arrays
    ],
}


@pytest.mark.parametrize("flip", [False, True], ids=["plain", "flip"])
@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_every_kind_of_input_is_embedded_as_testing_does(setting, tmp_path, pipeline, flip):
    cfg, _, checkpoint, paths = setting
    cfg = Config(dict(cfg))
    cfg.model = dict(cfg.model, flip_test=flip)
    cfg.test_dataloader = dict(dataset=dict(pipeline=pipeline))
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
        transforms = Compose(pipeline)
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    model.eval()
    facts = dict(sample_idx=0, pid=0, camid=0, domain=0, role="query", dataset="set")
    inputs = [transforms(dict(img_path=str(path), **facts))["inputs"] for path in paths]
    data = model.data_preprocessor({"inputs": inputs}, training=False)
    with torch.no_grad():
        samples = model(data["inputs"], mode="predict")
        exported = model(data["inputs"], mode="tensor")
    expected = torch.stack([sample.pred_embedding for sample in samples])
    assert torch.equal(exported, expected)
    inferencer = ReIDInferencer(cfg, checkpoint, device="cpu")
    arrays = [cv2.imread(str(path)) for path in paths]
    for kind, give in KINDS.items():
        found = inferencer(give(paths, arrays))
        assert torch.equal(found, expected), kind
    mirrored = inferencer([np.ascontiguousarray(a[:, ::-1]) for a in arrays])
    if flip:
        torch.testing.assert_close(mirrored, expected)


@pytest.fixture
def inferencer(setting):
    cfg, _, checkpoint, _ = setting
    return ReIDInferencer(cfg, checkpoint, device="cpu", batch_size=2)


def test_grey_transparent_and_deep_pictures(inferencer):
    generator = np.random.default_rng(0)
    grey = generator.integers(0, 255, (64, 32), np.uint8)
    color = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    black = color.copy()
    black[:32] = 0
    alpha = np.where(np.arange(64) < 32, 0, 255).astype(np.uint8)[:, None].repeat(32, 1)
    plain, hidden = inferencer([color, black])
    same = [grey, grey[..., None], Image.fromarray(grey), torch.from_numpy(grey)[None]]
    same += [Image.fromarray(color), Image.fromarray(grey.astype(np.uint16) * 257)]
    for found in inferencer(same):
        torch.testing.assert_close(found, plain)
    rgba = Image.fromarray(np.dstack([color, alpha]))
    for found in inferencer([np.dstack([color, alpha]), rgba, rgba.convert("LA")]):
        torch.testing.assert_close(found, hidden)
    with pytest.raises(UserError, match="Image 0: its 16-bit values reach"):
        inferencer(Image.fromarray(grey.astype(np.uint16)))


def closed(image):
    picture = Image.fromarray(image)
    picture.close()
    return picture


def bad_images(folder):
    empty, text, cut = folder / "empty.jpg", folder / "text.jpg", folder / "cut.jpg"
    empty.write_bytes(b"")
    text.write_text("hello")
    cut.write_bytes(cv2.imencode(".jpg", np.zeros((64, 32, 3), np.uint8))[1].tobytes()[:-9])
    image = np.zeros((64, 32, 3), np.uint8)
    return {
        "empty crop": (image[:0], "Image 1 has shape"),
        "empty file": (empty, "empty.jpg"),
        "text file": (str(text), "text.jpg"),
        "cut off": (cut, "cut.jpg.*cut off"),
        "missing": ("no.jpg", "Image 1: there is no file 'no.jpg'"),
        "float": (image / 255.0, "Image 1 has .*float64"),
        "NaN": (np.full((64, 32, 3), np.nan, np.float32), "Image 1 has .*float32"),
        "cut off, PIL": (Image.open(cut), "Image 1, a PIL image, can't be read: .*truncated"),
        "closed, PIL": (closed(image), "Image 1, a PIL image, can't be read: .*closed"),
        "bfloat16": (torch.zeros(3, 64, 32, dtype=torch.bfloat16), "Image 1 has .*bfloat16"),
        "float tensor": (torch.zeros(3, 64, 32, requires_grad=True), "Image 1 has .*float32"),
        "sparse": (tensor_of(image).to_sparse(), "Image 1 has"),
        "no memory": (torch.empty(3, 64, 32, dtype=torch.uint8, device="meta"), "Image 1 has"),
        "16 bits": (image.astype(np.uint16), "Image 1 has .*uint16"),
        "two channels": (image[..., :2], "Image 1 has"),
        "five dimensions": (np.zeros((1, 1, 4, 4, 3), np.uint8), "Image 1 has"),
        "HWC tensor": (torch.zeros(64, 32, 3, dtype=torch.uint8), "Image 1 has"),
        "bytes": (b"...", "Image 1 is of type bytes"),
        "list": (["a.jpg"], "Image 1 is of type list"),
        "None": (None, "Image 1 is of type NoneType"),
        "number": (3, "Image 1 is of type int"),
    }


def test_what_is_no_image_is_named_or_left_out_with_a_word(inferencer, tmp_path, monkeypatch):
    good = np.random.default_rng(0).integers(0, 255, (64, 32, 3), np.uint8)
    said = []
    monkeypatch.setattr(module, "print_log", lambda text, **_: said.append(text))
    cases = bad_images(tmp_path)
    for image, words in cases.values():
        with pytest.raises(UserError, match=words):
            inferencer([good, image])
    images = [x for image, _ in cases.values() for x in (image, good)]
    found = inferencer(images, skip=True)
    assert torch.equal(found, inferencer([good] * len(cases)))
    assert inferencer.skipped == {}  # of the last call
    inferencer(images, skip=True)
    assert sorted(inferencer.skipped) == list(range(0, 2 * len(cases), 2))
    assert f"{len(cases)} images were left out" in said[-1] and "empty.jpg" in said[-1]


def test_things_that_hold_no_images(inferencer, tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="nothing' has no image"):
        inferencer(tmp_path / "nothing")
    with (tmp_path / "file").open("w+") as file:
        for images in (3, None, {"a.jpg": 1}, {"a.jpg"}, file):
            with pytest.raises(UserError, match=f"images is of type {type(images).__name__}"):
                inferencer(images)
    with pytest.raises(UserError, match="Image 0 is of type bytearray"):
        inferencer(bytearray(b"..."))
    assert inferencer(iter([])).shape == inferencer(np.zeros((0, 64, 32, 3), np.uint8)).shape


def test_images_are_only_read(inferencer):
    image = np.random.default_rng(0).integers(0, 255, (64, 32, 3), np.uint8)
    expected = inferencer(image)
    given = [image.copy(), image[::-1, ::-1].copy()[::-1, ::-1], np.asfortranarray(image)]
    given[0].setflags(write=False)
    tensor, picture = tensor_of(image), Image.fromarray(image[..., ::-1])
    for one in (*given, tensor, picture):
        assert torch.equal(inferencer(one), expected)
    assert all(np.array_equal(one, image) for one in given)
    assert torch.equal(tensor, tensor_of(image))
    assert np.array_equal(np.asarray(picture), image[..., ::-1])


def test_images_without_a_common_size_are_named(setting):
    cfg, _, checkpoint, _ = setting
    cfg = Config(dict(cfg))
    pipeline = [PIPELINES["two transforms"][0], PIPELINES["two transforms"][2]]
    cfg.test_dataloader = dict(dataset=dict(pipeline=pipeline))
    images = [np.zeros((size, 32, 3), np.uint8) for size in (64, 64, 96)]
    with pytest.raises(UserError, match="Image 2 is 96 x 32 .* image 0 is 64 x 32"):
        ReIDInferencer(cfg, checkpoint, "cpu")(images)
    assert ReIDInferencer(cfg, checkpoint, "cpu", batch_size=1)(images).shape == (3, 64)


@TRANSFORMS.register_module()
class LoadDarkened(LoadImageFromFile):
    """A loader of somebody else's, which does more than decoding."""

    def __init__(self):
        super().__init__()
        self.color_type = "color_ignore_orientation"

    def transform(self, results):
        results = super().transform(results)
        results["img"] = results["img"] // 2
        return results


def test_other_loaders_are_not_left_out_for_images_in_memory(setting):
    cfg, _, checkpoint, paths = setting
    cfg = Config(dict(cfg))
    pipeline = [dict(type="mmreid_ext.LoadDarkened"), *PIPELINES["two transforms"][1:]]
    cfg.test_dataloader = dict(dataset=dict(pipeline=pipeline))
    inferencer = ReIDInferencer(cfg, checkpoint, "cpu")
    assert torch.equal(inferencer([cv2.imread(str(path)) for path in paths]), inferencer(paths))


# Configurations

LOADER = dict(dataset=dict(pipeline=PIPELINES["LoadResized"]))
LOADERS = {
    "validation only": dict(test_dataloader=None, val_dataloader=LOADER),
    "repeated": dict(test_dataloader=dict(dataset=dict(type="RepeatDataset", **LOADER))),
    "strung together": dict(
        test_dataloader=dict(dataset=dict(type="ConcatDataset", datasets=[LOADER["dataset"]]))
    ),
    "sources": dict(test_dataloader=dict(dataset=dict(sources=[LOADER["dataset"]]))),
}


@pytest.mark.parametrize("loaders", LOADERS.values(), ids=LOADERS)
def test_the_transforms_of_tests_are_found(setting, loaders):
    cfg, _, checkpoint, paths = setting
    values = {**dict(cfg), "test_dataloader": LOADER}
    expected = ReIDInferencer(Config(values), checkpoint, "cpu")(paths)
    assert torch.equal(ReIDInferencer({**values, **loaders}, checkpoint, "cpu")(paths), expected)


def test_configurations_that_cannot_be_used_are_explained(setting):
    cfg, _, checkpoint, _ = setting
    for lacks in (dict(test_dataloader=None, val_dataloader=None), dict(model=None)):
        with pytest.raises(UserError, match="needs `model` and the transforms"):
            ReIDInferencer({**dict(cfg), **lacks}, checkpoint, "cpu")
    head = dict(type="LinearClsHead", num_classes=2, in_channels=64)
    model = dict(type="ImageClassifier", backbone=cfg.model.backbone, head=head)
    with pytest.raises(UserError, match="ImageClassifier gives no embeddings"):
        ReIDInferencer({**dict(cfg), "model": model}, checkpoint, "cpu")
    with pytest.raises(UserError, match="config is of type int"):
        ReIDInferencer(3, checkpoint)
    with pytest.raises(UserError, match="did you mean 'metabin_r50'"):
        ReIDInferencer("metabin_r5o", checkpoint)
    assert find_config("metabin_r50.py") == find_config("metabin_r50")
    with pytest.raises(UserError, match="device='gpu'"):
        ReIDInferencer(cfg, checkpoint, "gpu")
    with pytest.raises(UserError, match="batch_size='8'"):
        ReIDInferencer(cfg, checkpoint, "cpu", "8")


# Frames and boxes


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(5).integers(0, 255, (90, 120, 3), np.uint8)


BOXES = [[10, 5, 50, 85], [60.4, -7, 130.2, 60.6], [0, 0, 120, 90]]


def test_crops_are_embedded_as_the_pictures_that_they_are(inferencer, frame, tmp_path):
    cut = [frame[5:85, 10:50], frame[0:61, 60:120], frame]
    expected = inferencer([np.ascontiguousarray(image) for image in cut])
    path = tmp_path / "frame.png"
    cv2.imwrite(str(path), frame)
    pil = Image.fromarray(frame[..., ::-1])
    for given in (frame, path, str(path), pil, tensor_of(frame)):
        assert torch.equal(inferencer.crops(given, BOXES), expected)
    for boxes in (np.array(BOXES, np.float32), torch.tensor(BOXES), [tuple(b) for b in BOXES]):
        assert torch.equal(inferencer.crops(frame, boxes), expected)


def test_crops_are_those_of_a_data_set_with_boxes(setting, frame, tmp_path):
    cfg, _, checkpoint, _ = setting
    cv2.imwrite(str(tmp_path / "frame.jpg"), frame)
    boxes = np.random.default_rng(1).uniform(0, 40, (6, 4)).round(1) + [0, 0, 5, 5]
    rows = [
        f"frame.jpg,{i // 2},{i % 2},{('query', 'gallery')[i % 2]},{','.join(map(str, box))}"
        for i, box in enumerate(boxes.tolist())
    ]
    (tmp_path / "list.csv").write_text("\n".join(["path,pid,camid,split,x,y,w,h", *rows]))
    steps = {k: cfg.test_dataloader.dataset[k] for k in ("loader", "pipeline")}
    listed = dict(type="mmreid_ext.CSVDataset", csv_file=str(tmp_path / "list.csv"), mode="test")
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        dataset = DATASETS.build(dict(listed, **steps))
    inferencer = ReIDInferencer(cfg, checkpoint, "cpu")
    expected = torch.stack([dataset[i]["inputs"] for i in range(6)])
    boxes = np.array([dataset.get_data_info(i)["box"] for i in range(6)])
    edges = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    pictures = regions(read_frame(tmp_path / "frame.jpg"), edges)
    for picture, inputs in zip(pictures, expected, strict=True):
        found = prepare(picture, 0, inferencer.loader, inferencer.transform)["inputs"]
        assert torch.equal(found, inputs)


def test_no_boxes_give_no_rows(inferencer, frame):
    for boxes in ([], np.zeros((0, 4)), np.zeros((0, 6)), torch.zeros(0, 4)):
        assert inferencer.crops(frame, boxes).shape == (0, 64)


BAD_BOXES = {
    "empty": [30, 10, 30, 20],
    "turned round": [50, 10, 30, 20],
    "outside": [121, 10, 140, 20],
    "less than a pixel": [3.6, 3.6, 4.4, 4.4],
    "NaN": [np.nan, 0, 3, 4],
    "infinite": [0, 0, np.inf, 4],
}


@pytest.mark.parametrize("box", BAD_BOXES.values(), ids=BAD_BOXES)
def test_bad_boxes_are_named_or_left_out(inferencer, frame, box):
    boxes = [BOXES[0], box, BOXES[2]]
    with pytest.raises(UserError, match="^Box 1 is "):
        inferencer.crops(frame, boxes)
    found = inferencer.crops(frame, boxes, skip=True)
    assert torch.equal(found, inferencer.crops(frame, [BOXES[0], BOXES[2]]))
    inferencer.crops(frame, boxes, skip=True)
    assert list(inferencer.skipped) == [1]


def test_what_holds_no_boxes_is_named(inferencer, frame):
    for boxes in (np.zeros((2, 6)), [1, 2, 3, 4], np.zeros((1, 2, 4)), np.zeros((0, 3, 4))):
        with pytest.raises(UserError, match=r"boxes has shape .*must be \(N, 4\)"):
            inferencer.crops(frame, boxes)
    for boxes in (["a"], [[1, 2], [3]], [{}]):
        with pytest.raises(UserError, match="boxes aren't numbers"):
            inferencer.crops(frame, boxes)
    with pytest.raises(UserError, match="The frame has shape"):
        inferencer.crops(frame / 255, BOXES)


# Answers


@pytest.fixture
def tested(setting, tmp_path):
    """An inferencer of a checkpoint that stores thresholds, as testing leaves it."""
    cfg, model, _, _ = setting
    rest = dict(tpr=0.9, negatives=500, dataset="set")
    pairs = ((0.1, -1.0), (0.01, 1.0), (0.001, None))
    entries = [dict(rest, fpr=fpr, similarity=similarity) for fpr, similarity in pairs]
    content = dict(state_dict=model.state_dict(), meta={})
    DeploymentInfoHook().before_save_checkpoint(SimpleNamespace(model=model, cfg=cfg), content)
    content["meta"]["mmreid_ext"]["thresholds"] = entries
    torch.save(content, tmp_path / "tested.pth")
    return ReIDInferencer(tmp_path / "tested.pth", device="cpu")


def test_two_images_are_compared_at_the_stored_thresholds(tested, inferencer, setting):
    first, second = setting[3][:2]
    found = tested.compare(first, cv2.imread(str(second)))
    embeddings = tested([first, second]).double()
    assert found.similarity == pytest.approx(float(embeddings[0] @ embeddings[1]), abs=1e-6)
    assert [answer.same for answer in found.answers] == [True, False, None]
    assert [answer.threshold.fpr for answer in found.answers] == [0.1, 0.01, 0.001]
    assert inferencer.compare(first, second).answers == ()
    assert tested.compare(first, first).similarity == pytest.approx(1, abs=1e-6)
    for pair in ((first, [second]), (first, first.parent), (3, second)):
        with pytest.raises(UserError, match="compare: [ab] must be one image"):
            tested.compare(*pair)


def test_a_gallery_is_searched_whatever_it_is_given_as(inferencer, setting, tmp_path):
    paths = setting[3]
    arrays = [cv2.imread(str(path)) for path in paths]
    embeddings = inferencer(paths)
    store = EmbeddingSet(
        embeddings.numpy(), [0] * 5, [0] * 5, ["gallery"] * 5, ["set"] * 5, [p.name for p in paths]
    )
    file = save_features(tmp_path / "feats.npz", store)
    folder = paths[0].parent
    named = [str(path) for path in paths]
    expected = nearest(embeddings[3:], embeddings, 3)
    for gallery, names in (
        (folder, named),
        (paths, named),
        (arrays, [None] * 5),
        (embeddings, [None] * 5),
        (embeddings.numpy(), [None] * 5),
        (str(file), [path.name for path in paths]),
    ):
        for query in (paths[3:], embeddings[3:], np.stack(arrays[3:])):
            found = inferencer.search(query, gallery, topk=3)
            assert [[m.index for m in matches] for matches in found] == expected.indices.tolist()
            assert [m.path for m in found[0]] == [names[m.index] for m in found[0]]
            assert found[0][0].similarity == pytest.approx(1, abs=1e-6)
    assert [len(matches) for matches in inferencer.search(paths[0], folder, topk=99)] == [5]
    assert inferencer.search([], folder) == [] and inferencer.search(paths[0], []) == [[]]
    with pytest.raises(UserError, match="64 dimensions, gallery_feats 3"):
        inferencer.search(paths[0], np.ones((4, 3)))


# The same as the tester


@pytest.mark.parametrize("flip", [False, True], ids=["plain", "flip"])
def test_embeddings_equal_the_features_file_of_the_tester(tmp_path, monkeypatch, flip):
    config = write_tiny_config(tmp_path)
    cfg = Config.fromfile(config)
    cfg.model.flip_test = flip
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    content = dict(state_dict=model.state_dict(), meta={})
    DeploymentInfoHook().before_save_checkpoint(SimpleNamespace(model=model, cfg=cfg), content)
    torch.save(content, tmp_path / "w.pth")
    features = tmp_path / "f.npz"
    arguments = [config, tmp_path / "w.pth", "--save-features", features, "--work-dir", tmp_path]
    run_tool("test", monkeypatch, *arguments, *(["--flip"] if flip else []))
    stored, _ = load_features(features)
    paths = [tmp_path / name for name in stored.names]
    found = ReIDInferencer(tmp_path / "w.pth", device="cpu", batch_size=8)(paths)
    assert len(paths) == 8 and np.array_equal(found.numpy(), stored.feats)
