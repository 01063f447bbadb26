import pytest
from mmcv.transforms import LoadImageFromFile

from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import (
    DEFAULT_LOADER,
    ImageSteps,
    evaluation_steps,
    is_loading,
    only_decodes,
    split_loading,
    steps_of,
    write_steps,
)

LOAD, RESIZED = dict(type="LoadImageFromFile"), dict(type="mmreid_ext.LoadResized", scale=(4, 8))
FLIP = dict(type="mmreid_ext.HorizontalFlip")


def load_from_store(record):
    return record


@pytest.mark.parametrize(
    "loader, pipeline, expected",
    [
        (None, [LOAD, FLIP], (LOAD, [FLIP])),
        (None, [RESIZED], (RESIZED, [])),
        (None, (FLIP,), (DEFAULT_LOADER, [FLIP])),
        (None, [], (None, [])),
        (RESIZED, [], (RESIZED, [])),
        (RESIZED, [FLIP], (RESIZED, [FLIP])),
        (None, [load_from_store, FLIP], (load_from_store, [FLIP])),
    ],
)
def test_the_loader_is_separated_from_the_transforms(loader, pipeline, expected):
    assert split_loading(loader, pipeline, "set") == expected


def test_a_loader_and_a_pipeline_that_loads_are_refused():
    with pytest.raises(UserError, match="^set: loader=LoadResized is given .*LoadImageFromFile"):
        split_loading(RESIZED, [LOAD, FLIP], "set")


def test_a_loading_transform_is_known_by_its_name():
    for loads in (LOAD, RESIZED, dict(type=LoadImageFromFile), LoadImageFromFile()):
        assert is_loading(loads)
    assert is_loading(load_from_store) and not is_loading(FLIP)
    assert not is_loading(lambda record: record) and not is_loading({})


@pytest.mark.parametrize(
    "dataset", [dict(pipeline=[LOAD, FLIP]), dict(pipeline=[FLIP]), dict(loader=LOAD, pipeline=[])]
)
def test_steps_are_written_in_the_form_that_is_there(dataset):
    old_form = dataset["pipeline"][:1] == [LOAD]
    write_steps(dataset, ImageSteps(RESIZED, [FLIP]))
    assert steps_of(dataset) == (RESIZED, [FLIP])
    assert ("loader" not in dataset) == old_form


def test_steps_of_tests_are_looked_for_in_wrappers_and_validation():
    inner = dict(type="mmreid_ext.CSVDataset", loader=RESIZED, pipeline=[FLIP])
    for dataset in (inner, dict(dataset=inner), dict(datasets=[inner]), dict(sources=[inner])):
        assert evaluation_steps(dict(val_dataloader=dict(dataset=dataset))) == (RESIZED, [FLIP])
    other = dict(dataset=dict(pipeline=[LOAD]))
    both = dict(test_dataloader=other, val_dataloader=dict(dataset=inner))
    assert evaluation_steps(both) == (LOAD, [])
    assert evaluation_steps(dict(test_dataloader=None)) is None
    assert evaluation_steps(dict(test_dataloader=dict(dataset=dict(type="x")))) is None


def test_the_default_loader_only_decodes():
    assert only_decodes(DEFAULT_LOADER) and only_decodes(LOAD)
    assert not only_decodes(RESIZED) and not only_decodes(None)


def test_steps_in_order_begin_with_the_loader():
    assert ImageSteps(LOAD, [FLIP]).in_order == [LOAD, FLIP]
    assert ImageSteps(None, []).in_order == []
