"""OpenMIM finds and runs what an installed package holds: search, list, run, train, test, download.

It needs the package as a wheel, and openmim, in an environment of their own: ``bash
tools/test_stacks.sh --only package`` makes both and runs this. The other tests skip it.
"""

import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("MMREID_PACKAGED"),
        reason="needs a wheel and openmim: bash tools/test_stacks.sh --only package",
    ),
]
NAME = "metabin_r18_synthetic"
SMALL = (
    *("--cfg-options", "model.head.num_classes=32", "model.backbone.base_channels=8"),
    *("model.backbone.stem_channels=8", "model.head.in_channels=64"),
    *("train_cfg.max_iters=2", "train_cfg.val_interval=2", "train_cfg.first_base_steps=1"),
    *("train_dataloader.batch_size=32", "train_cfg.meta_dataloader.batch_size=32"),
    *("default_hooks.checkpoint.interval=2", "train_dataloader.num_workers=0"),
    *("train_dataloader.persistent_workers=False", "train_cfg.meta_dataloader.num_workers=0"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder far from the repository."""
    return tmp_path_factory.mktemp("mim")


def mim(folder, *arguments):
    """What the user of ``mim`` reads, and its exit code; only the installed package is found."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [os.path.join(os.path.dirname(sys.executable), "mim"), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def test_the_package_is_listed(folder):
    code, text = mim(folder, "list", "--all")
    assert code == 0 and "mmreid_ext" in text, text


def test_models_are_found(folder):
    code, text = mim(folder, "search", "mmreid_ext", "--config", NAME)
    assert code == 0 and NAME in text and "procedural" in text.lower(), text
    code, text = mim(folder, "search", "mmreid_ext", "--condition", "parameters>50000000")
    assert code == 0 and "metabin_r50_dg" in text and NAME not in text, text


def test_a_model_is_trained_and_tested(folder):
    """The data set comes from ``mim run``."""
    out = folder / "data" / "synthetic"
    made = ("--out", out, "--domains", 5, "--ids", 16, "--cameras", 2)
    code, text = mim(folder, "run", "mmreid_ext", "make_synthetic", *made)
    assert code == 0 and (out / "domain_4").is_dir(), text
    code, text = mim(folder, "train", "mmreid_ext", NAME, "--work-dir", "run", *SMALL)
    assert code == 0, text
    checkpoint = folder / "run" / "iter_2.pth"
    assert checkpoint.is_file(), text
    given = ("--checkpoint", checkpoint, "--rerank", "--out", "scores.json", *SMALL[:5])
    code, text = mim(folder, "test", "mmreid_ext", NAME, *given)
    assert code == 0 and (folder / "scores.json").is_file(), text


def test_there_is_nothing_to_download(folder):
    """mim has no word for models without published weights; the documents say what it says."""
    code, text = mim(folder, "download", "mmreid_ext", "--config", NAME, "--dest", "weights")
    assert code != 0 and "got {'weight'}" in text, text
    assert list(folder.rglob("*.pth")) == list((folder / "run").glob("*.pth"))
