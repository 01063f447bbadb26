import pytest
from helpers.recorded_networks import RECORDED, recorded, resnet

from mmreid_ext.checkpoint.converting import SOURCES, guess_source, source_named
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_recorded_networks_are_recognised(name):
    record = recorded(name)
    guess = guess_source(record["shapes"])
    assert guess.source.name == record["program"] and set(guess.seen) <= set(record["shapes"])


def test_names_that_several_programs_have():
    assert guess_source(resnet()).source.name == "torchvision"
    assert guess_source([*resnet(), "classifier.weight"]).source.name == "torchreid"
    assert guess_source(resnet(prefix="base.")).source.name == "strong-baseline"
    assert guess_source([*resnet(prefix="backbone."), "heads.weight"]).source.name == "fastreid"


def test_strangers_and_misspellings():
    with pytest.raises(
        UserError, match=r"The weights are called a, b, c and 1 more.*--from paddleclas"
    ):
        guess_source(["a", "b", "c", "d"])
    with pytest.raises(UserError, match="--from fastried: unknown.*fastreid"):
        source_named("fastried")
    assert all(source_named(name).name == name for name in SOURCES)
