"""Images of an iteration, of loaders of every kind."""

from types import SimpleNamespace

from torch.utils.data import DataLoader

from mmreid_ext.cli.screen.batches import batch_sizes


def test_of_an_ordinary_loop():
    loop = SimpleNamespace(dataloader=DataLoader(range(8), batch_size=4))
    assert batch_sizes(loop) == [4]


def test_unknown_sizes_are_not_guessed():
    assert batch_sizes(SimpleNamespace()) == []
    assert batch_sizes(SimpleNamespace(dataloader=DataLoader(range(8), batch_size=None))) == []


def test_of_metabin(tmp_path):
    from helpers.tiny_reid import tiny_runner

    runner = tiny_runner(tmp_path, batch_size=16)
    loop = runner.build_train_loop(runner._train_loop)
    assert batch_sizes(loop) == [16, loop.meta_dataloader.batch_sampler.meta.batch_size]
