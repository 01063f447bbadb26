import cv2
import numpy as np
import pytest
from helpers.fake_images import write_image

from mmreid_ext.datasets import BenchmarkSuite, CSVDataset, MultiSourceDataset
from mmreid_ext.datasets.checks.quick_check import quick_check
from mmreid_ext.datasets.samplers.draw import Draw
from mmreid_ext.errors import UserError
from mmreid_ext.visualization.thumbnails import ThumbnailReader

HEADER = "path,pid,camid,split,x,y,w,h\n"
ROWS = [
    "f.png,lea,0,query,2,1,8,16",
    "f.png,tom,0,query,12,3,8,16",
    "f.png,lea,1,gallery,20,0,8,16",
    "f.png,tom,1,gallery,21.4,2,10.6,16",
    "f.png,ada,0,train,0,20,8,20",
    "f.png,bob,0,train,9,20,8,20",
    "whole.png,bob,0,train,,,,",
]
PACK = [dict(type="mmreid_ext.PackReIDInputs")]
LOADERS = {
    "resized": dict(type="mmreid_ext.LoadResized", scale=(16, 32)),
    "plain": dict(type="mmpretrain.LoadImageFromFile"),
    "floats": dict(type="mmpretrain.LoadImageFromFile", to_float32=True),
}


@pytest.fixture
def frames(tmp_path):
    write_image(tmp_path / "f.png", 1, (40, 32))
    write_image(tmp_path / "whole.png", 2, (40, 32))
    (tmp_path / "list.csv").write_text(HEADER + "\n".join(ROWS) + "\n")
    return tmp_path


def cut_out(frames):
    """The same list of crops that somebody made beforehand."""
    frame = cv2.imread(str(frames / "f.png"))
    lines = ["path,pid,camid,split"]
    for number, row in enumerate(ROWS):
        path, *others, x, y, w, h = row.split(",")
        image = cv2.imread(str(frames / path))
        if x:
            left, top = round(float(x)), round(float(y))
            right, bottom = round(float(x) + float(w)), round(float(y) + float(h))
            image = frame[top:bottom, left:right]
        cv2.imwrite(str(frames / f"crop{number}.png"), image)
        lines.append(",".join([f"crop{number}.png", *others]))
    (frames / "crops.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("mode", ["train", "test"])
def test_the_pixels_are_those_of_crops_cut_out_beforehand(frames, loader, mode):
    cut_out(frames)
    sets = [
        CSVDataset(name, frames, mode, PACK, loader=LOADERS[loader], name="one")
        for name in ("list.csv", "crops.csv")
    ]
    assert len(sets[0]) == len(sets[1]) > 2
    for index in range(len(sets[0])):
        one, other = (part[Draw(index, seed=index)] for part in sets)
        assert np.array_equal(one["inputs"], other["inputs"])


def test_a_store_keeps_the_crops_of_a_frame_apart(frames, tmp_path):
    loader = dict(LOADERS["resized"], store=tmp_path / "store")
    plain = CSVDataset("list.csv", frames, "test", PACK, loader=LOADERS["resized"])
    stored = CSVDataset("list.csv", frames, "test", PACK, loader=loader)
    for _ in range(2):  # filling, reading
        for index in range(len(plain)):
            assert np.array_equal(plain[index]["inputs"], stored[index]["inputs"])


def test_a_shrinking_decoder_cuts_the_same_box(frames):
    big = np.random.default_rng(0).integers(0, 256, (400, 320, 3), dtype=np.uint8)
    cv2.imwrite(str(frames / "f.jpg"), big)
    text = (frames / "list.csv").read_text().replace("f.png", "f.jpg")
    (frames / "list.csv").write_text(text.replace("2,1,8,16", "20,10,80,160"))
    loader = LOADERS["resized"]
    full, draft = (
        CSVDataset("list.csv", frames, "test", PACK, loader=dict(loader, draft=flag))
        for flag in (False, True)
    )
    assert np.array_equal(full[0]["inputs"], draft[0]["inputs"])


def test_crops_have_names_of_their_own(frames):
    dataset = CSVDataset("list.csv", frames, "test", PACK, loader=LOADERS["plain"])
    name = dataset[0]["data_samples"].img_path
    assert name == f"{frames / 'f.png'}#xywh=2,1,8,16"
    assert dataset.image_keys()[0] == dataset.image_table().names[0] == name
    assert dataset.image_paths()[0] == str(frames / "f.png")
    picture = ThumbnailReader(height=40).image(name)
    assert picture.size == (8, 16)


def test_sources_may_share_a_frame_but_no_crop(frames):
    train = [row for row in ROWS if "train" in row]
    (frames / "two.csv").write_text(HEADER + "\n".join([*train[:2], *ROWS[:4]]))
    (frames / "three.csv").write_text(
        HEADER + "f.png,eve,0,train,1,1,5,5\nf.png,eva,0,train,2,2,5,5"
    )
    two, three = (
        dict(type="mmreid_ext.CSVDataset", csv_file=name, data_root=frames, name=name)
        for name in ("two.csv", "three.csv")
    )
    assert MultiSourceDataset([two, three]).num_classes == 4
    with pytest.raises(UserError, match=r"share 2 images .*#xywh="):
        MultiSourceDataset([two, dict(two, name="again")])
    assert len(BenchmarkSuite([two])) == 4


@pytest.mark.parametrize(
    "row, message",
    [
        ("f.png,lea,0,query,2,1,8,60", r"line 2: x,y,w,h = 2,1,8,60 sticks out .* 32 x 40 pixels"),
        ("f.png,lea,0,query,-2,1,8,6", r"line 2: .* sticks out"),
        ("f.png,lea,0,query,2,1,0,6", r"line 2: .* holds no pixel"),
        ("f.png,lea,0,query,2,1,,6", r"line 2: x,y,w,h = 2,1,,6 are not four numbers"),
        (f"f.png,lea,0,query,2,1,8,{'[' * 9999}", r"x,y,w,h = 2,1,8,\[{73}… are not"),
        ("f.png,lea,0,query,2,1,left,6", r"line 2: .* are not four numbers"),
    ],
)
def test_a_wrong_box_is_named_with_its_line(frames, row, message):
    (frames / "list.csv").write_text(HEADER + "\n".join([row, *ROWS[1:]]))
    with pytest.raises(UserError, match=message):
        len(CSVDataset("list.csv", frames, "train"))


def test_all_four_columns_or_none(frames):
    (frames / "list.csv").write_text("path,pid,split,x,y\nf.png,lea,train,1,1\n")
    with pytest.raises(UserError, match=r"\['x', 'y'\] without \['w', 'h'\]"):
        len(CSVDataset("list.csv", frames))


def test_missing_frames_are_left_to_the_check_of_files(frames):
    (frames / "list.csv").write_text(HEADER + "\n".join([*ROWS, "no.png,bob,0,train,1,1,2,2"]))
    with pytest.raises(FileNotFoundError, match="no.png"):
        len(CSVDataset("list.csv", frames))


def test_the_check_before_a_training_knows_crops_from_their_frame(frames):
    """A frame with people of both parts is no picture that is trained on."""
    train, test = (CSVDataset("list.csv", frames, mode) for mode in ("train", "test"))
    checked = quick_check(train, [test])
    assert not checked.faults and not any("trained on" in text for text in checked.warnings)
