import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext.evaluation.gathered_images import (
    gather_images,
    gather_strings,
    image_metadata,
)

CPU = torch.device("cpu")


def sample(index, role="gallery", dataset="a"):
    return dict(sample_idx=index, pid=10 * index, camid=-1, role=role, dataset=dataset)


def batch(*samples):
    feats = torch.stack([torch.tensor([float(s["sample_idx"]), 1.0]) for s in samples])
    return feats, [image_metadata(s) for s in samples]


def test_metadata_of_an_image():
    numbers, dataset, name = image_metadata(sample(3) | {"img_path": "x/ü.png"})
    assert (numbers, dataset, name) == ([3, 30, -1, 1], "a", "x/ü.png")
    assert image_metadata(sample(3))[2] == ""
    with pytest.raises(ValueError, match="got 'train' for x.png"):
        image_metadata(sample(3, role="train") | {"img_path": "x.png"})


def test_sorted_by_set_role_and_index_one_of_each():
    batches = [
        batch(sample(2), sample(0, dataset="b")),
        batch(sample(1, "query"), sample(2), sample(1)),
    ]
    images = gather_images(batches, CPU).without_padding(4, order=["b"])
    assert images.datasets.tolist() == ["b", "a", "a", "a"]
    assert images.pids.tolist() == [0, 10, 10, 20]
    assert images.roles.tolist() == ["gallery", "query", "gallery", "gallery"]
    assert images.feats[:, 0].tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("size, text", [(3, "never processed"), (1, "must number its images")])
def test_missing_and_unexpected_images(size, text):
    gathered = gather_images([batch(sample(0), sample(1))], CPU)
    with pytest.raises(ValueError, match=rf"2 distinct images of 2 .*has {size}\. .*{text}"):
        gathered.without_padding(size, [])


def test_no_image_at_all():
    gathered = gather_images([], CPU)
    assert gathered.feats.shape == (0, 0) and gathered.numbers.shape == (0, 4)


def test_strings_are_kept_to_the_byte():
    strings = ["", "ü", "a\nb", "\udcff.png"]
    assert gather_strings(strings, CPU).tolist() == strings
    assert gather_strings([], CPU).tolist() == []


def gather_on(rank, world_size):
    """The first rank has three images, the second none in this round."""
    batches = [batch(sample(2), sample(0), sample(1))] if rank == 0 else []
    images = gather_images(batches, CPU).without_padding(3, [])
    return images.pids.tolist(), images.feats


def test_every_rank_holds_the_images_of_all():
    first, second = run_distributed(gather_on, 2)
    assert first[0] == second[0] == [0, 10, 20]
    assert torch.equal(first[1], second[1])
