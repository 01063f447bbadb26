"""Tiny folders in the layouts of the benchmarks of domain generalisation, VehicleID included."""

from pathlib import Path

from helpers.fake_images import write_images

PEOPLE = range(1, 5)

PROTOCOL_CONFIGS = {
    f"{norm}_r50_dg_p{number}_{target}"
    for norm in ("bn", "metabin")
    for number in (2, 3)
    for target in ("market1501", "msmt17", "cuhk03")
} | {"strong_baseline_r50_vehicleid", "strong_baseline_r50_multi_query"}
"""Those that ``test_configs.py`` leaves to ``test_protocol_configs.py``."""


def write_sources(root: Path) -> Path:
    """Write Market-1501 with gt_bbox, MSMT17, CUHK02, CUHK03-NP, CUHK-SYSU, four people a part."""
    parts = [("bounding_box_train", 0, 1), ("query", 4, 0), ("bounding_box_test", 4, 1)]
    market = [
        f"{part}/{first + pid:04d}_c{cam}s1_000{cam}51_0{shot}.jpg"
        for part, first, shot in [*parts, ("gt_bbox", 0, 0), ("gt_bbox", 4, 0), ("gt_bbox", 4, 2)]
        for pid in PEOPLE
        for cam in (1, 2)
    ]
    write_images(
        root / "Market-1501-v15.09.15", *market, "bounding_box_test/0000_c1s1_000001_0.jpg"
    )
    for boxes in ("detected", "labeled"):
        names = [
            f"{boxes}/{part}/{first + pid:04d}_c{cam}_{cam}.png"
            for part, first, _ in parts
            for pid in PEOPLE
            for cam in (1, 2)
        ]
        write_images(root / "CUHK03-NP", *names)
    pairs = range(1, 6)
    cams = (1, 2)
    write_images(
        root / "CUHK02",
        *(f"Dataset/P{p}/cam{c}/{pid:03d}_{c}.png" for p in pairs for c in cams for pid in PEOPLE),
    )
    snaps = [f"cropped_images/p{pid}_s{scene}_{scene}.jpg" for pid in PEOPLE for scene in (1, 2)]
    write_images(root / "CUHK-SYSU", *snaps)
    _write_msmt(root / "MSMT17_V1")
    return root


def _write_msmt(folder: Path) -> None:
    shown = dict(train=(1, 2), val=(3,), query=(1,), gallery=(2, 3))
    for name, cams in shown.items():
        lines = [
            f"{pid:04d}/{pid:04d}_000_{cam:02d}_0303morning_0008_0.jpg {pid}"
            for pid in range(4)
            for cam in cams
        ]
        part = "train" if name in ("train", "val") else "test"
        write_images(folder / part, *(line.split()[0] for line in lines))
        (folder / f"list_{name}.txt").write_text("\n".join(lines) + "\n")


def write_targets(root: Path) -> Path:
    """Write VIPeR, PRID2011, GRID and i-LIDS with all their people, which the splits count."""
    write_images(root / "VIPeR", *(f"cam_{c}/{pid:03d}_0.bmp" for c in "ab" for pid in range(632)))
    prid = [f"single_shot/cam_a/person_{pid:04d}.png" for pid in range(1, 386)]
    prid += [f"single_shot/cam_b/person_{pid:04d}.png" for pid in range(1, 750)]
    write_images(root / "prid_2011", *prid)
    grid = [f"{part}/{pid:04d}_1_1.jpeg" for part in ("probe", "gallery") for pid in range(1, 251)]
    grid += [f"gallery/0000_1_{number}.jpeg" for number in range(775)]
    write_images(root / "underground_reid", *grid)
    shots = [f"Persons/{pid:04d}{shot:03d}.jpg" for pid in range(1, 120) for shot in range(1, 5)]
    write_images(root / "i-LIDS_Pedestrian", *shots)
    return root


def write_vehicles(root: Path) -> Path:
    """Write VehicleID: four vehicles to train on, and two to four in each of the test lists."""
    folder = root / "VehicleID_V1.0"
    write_images(folder, *(f"image/{number:07d}.jpg" for number in range(32)))
    (folder / "train_test_split").mkdir()
    lists = dict(train_list=range(16), test_list_800=range(16, 24), test_list_1600=range(16, 28))
    for name, numbers in (lists | dict(test_list_2400=range(16, 32))).items():
        lines = [f"{number:07d} {number // 4}" for number in numbers]
        (folder / "train_test_split" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return root
