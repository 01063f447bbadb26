from pathlib import Path

import pytest

from mmreid_ext.datasets.own_images.listing import OwnImage
from mmreid_ext.datasets.own_images.plan import MODELS, plan_training


def images(people, each, split="train"):
    return [
        OwnImage(Path("a.jpg"), f"{p}", split=split) for p in range(people) for _ in range(each)
    ]


@pytest.mark.parametrize(
    "people, each, batch, instances",
    [(2, 5, 8, 4), (8, 5, 32, 4), (16, 4, 64, 4), (5000, 10, 64, 4), (8, 2, 16, 2), (40, 3, 64, 2)],
)
def test_a_batch_fits_the_people(people, each, batch, instances):
    plan = plan_training(images(people, each) + images(9, 9, "query"), "r18", False)
    assert (plan.batch_size, plan.num_instances) == (batch, instances)
    assert plan.num_classes == people >= plan.people_per_batch
    assert plan.num_images == people * each


@pytest.mark.parametrize("model", MODELS)
def test_iterations_grow_with_the_pictures(model):
    few, many = (plan_training(images(n, 10), model, False) for n in (8, 5000))
    assert few.iterations == MODELS[model].fewest
    wanted = 50_000 * MODELS[model].passes / 64
    assert wanted <= many.iterations < wanted + 50
    assert plan_training(images(8, 10), model, True).iterations > few.iterations
    assert 0 < few.warm_up < few.iterations


def test_time_follows_the_number_of_cores():
    plan = plan_training(images(8, 5), "r18", False)
    assert plan.cpu_seconds(2) == 2 * plan.cpu_seconds(4) > 0
