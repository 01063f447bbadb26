"""Small copies of the published layouts of data sets, and the readers built on them."""

from helpers.fake_images import write_images

from mmreid_ext.datasets import (
    CUHK01,
    CUHK02,
    CUHKSYSU,
    GRID,
    ILIDS,
    PRID2011,
    DukeMTMC,
    Market1501,
    VeRi776,
    VIPeR,
)
from mmreid_ext.datasets.reid_dataset import ReIDDataset

TREES = {
    Market1501: (
        "Market-1501-v15.09.15",
        "bounding_box_train/0002_c1s1_000451_03.jpg bounding_box_train/0007_c6s3_000451_03.jpg "
        "query/0001_c2s1_000301_00.jpg bounding_box_test/0001_c1s1_001051_00.jpg "
        "bounding_box_test/-1_c1s1_000401_03.jpg bounding_box_test/0000_c3s1_000151_01.jpg",
    ),
    DukeMTMC: (
        "DukeMTMC-reID",
        "bounding_box_train/0001_c2_f0046182.jpg bounding_box_train/0003_c8_f0046182.jpg "
        "query/0005_c2_f0046985.jpg bounding_box_test/0005_c5_f0051341.jpg "
        "bounding_box_test/0004_c1_f0051341.jpg",
    ),
    VeRi776: (
        "VeRi",
        "image_train/0001_c001_00016450_0.jpg image_train/0004_c020_00016450_0.jpg "
        "image_query/0002_c002_00030600_0.jpg image_test/0002_c003_00084280_0.jpg",
    ),
    CUHK01: (
        "CUHK01",
        "campus/0001001.png campus/0001002.png campus/0001003.png campus/0001004.png "
        "campus/0971001.png campus/0971004.png",
    ),
    CUHK02: (
        "CUHK02",
        " ".join(f"Dataset/P{p}/cam{c}/001_{c}0{c}.png" for p in range(1, 6) for c in (1, 2)),
    ),
    CUHKSYSU: (
        "CUHK-SYSU",
        "cropped_images/p1_s3_1.jpg cropped_images/p11934_s16929_1.jpg cropped_images/p1_s4_2.jpg",
    ),
    VIPeR: (
        "VIPeR",
        "cam_a/000_45.bmp cam_a/003_90.bmp cam_a/873_0.bmp cam_a/012_0.bmp "
        "cam_b/000_90.bmp cam_b/003_135.bmp cam_b/873_180.bmp cam_b/012_90.bmp",
    ),
    PRID2011: (
        "prid_2011",
        "single_shot/cam_a/person_0001.png single_shot/cam_a/person_0200.png "
        "single_shot/cam_a/person_0201.png single_shot/cam_b/person_0001.png "
        "single_shot/cam_b/person_0200.png single_shot/cam_b/person_0749.png",
    ),
    GRID: (
        "underground_reid",
        "probe/0001_1_25004_107_32_106_221.jpeg probe/0250_2_1_1_1_1_1.jpeg "
        "gallery/0001_5_25023_116_134_128_330.jpeg gallery/0250_8_1_1_1_1_1.jpeg "
        "gallery/0000_4_1_1_1_1_1.jpeg",
    ),
    ILIDS: (
        "i-LIDS_Pedestrian",
        "Persons/0001001.jpg Persons/0001002.jpg Persons/0001003.jpg "
        "Persons/0119001.jpg Persons/0119004.jpg",
    ),
}


def build(reader: type[ReIDDataset], root, **options) -> ReIDDataset:
    folder, names = TREES[reader]
    write_images(root / folder, *names.split())
    return reader(root, check=False, **options)


def rows(dataset, role):
    records = [dataset[i] for i in range(len(dataset))]
    return [(r["pid"], r["camid"]) for r in records if r["role"] == role]


def name_of(reader):
    return reader.__name__


def check_records(reader, root, *, combined, train=None, query=(), gallery=(), protocol="camera"):
    """Compare what a reader makes of its tree in training, in a test and in combined training.

    Args:
        combined: Number of images and of identities with ``combine_all``.
        train: (pid, camid) of the training images. None: the set has none.
        query: (pid, camid) of the queries, sorted. Empty: the set has no test images.
        gallery: Those of the gallery.
        protocol: The protocol that is announced.
    """
    if train is not None:
        dataset = build(reader, root)
        assert sorted(rows(dataset, "train")) == sorted(train) and not dataset.unparsed
        assert dataset.labels.max() == dataset.num_classes - 1
    if query:
        dataset = build(reader, root, mode="test")
        assert sorted(rows(dataset, "query")) == query
        assert sorted(rows(dataset, "gallery")) == gallery
        distractors = sorted({pid for pid, _ in gallery} & reader.distractor_pids)
        announced = {"protocol": protocol} | (
            {"distractor_pids": distractors} if distractors else {}
        )
        assert dataset.metainfo["test_sets"] == {reader.title: announced}
    dataset = build(reader, root, combine_all=True)
    assert (len(dataset), dataset.num_classes) == combined
    assert {dataset[i]["role"] for i in range(len(dataset))} == {"train"}
