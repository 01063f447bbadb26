"""What the quick start repeats, resumes and prints; its stages have tests of their own."""

import json
import sys

import pytest
from helpers.tools import load_tool

from mmreid_ext.errors import UserError


@pytest.fixture(scope="module")
def quickstart():
    return load_tool("quickstart")


@pytest.fixture
def script(tmp_path):
    """A stage's command: counts its runs in a file and fails if told to."""
    path = tmp_path / "script.py"
    path.write_text(
        "import pathlib, sys\n"
        "log, out, status = sys.argv[1:]\n"
        "pathlib.Path(log).open('a').write('x')\n"
        "if out: pathlib.Path(out).touch()\n"
        "sys.exit(int(status))\n"
    )

    def command(writes=True, status=0):
        return path, tmp_path / "log", tmp_path / "out" if writes else "", status

    command.runs = lambda: len((tmp_path / "log").read_text())
    return command


def _stage(quickstart, tmp_path, *inputs):
    return quickstart.Stage("Step", tmp_path / "stamp", list(inputs), [tmp_path / "out"])


def test_finished_stage_is_not_repeated(quickstart, script, tmp_path, capsys):
    for _ in range(2):
        _stage(quickstart, tmp_path, "a").run(*script())
    assert script.runs() == 1
    assert "done before" in capsys.readouterr().out


def test_changed_input_or_lost_output_repeats(quickstart, script, tmp_path):
    _stage(quickstart, tmp_path, "a").run(*script())
    _stage(quickstart, tmp_path, "b").run(*script())
    assert script.runs() == 2
    (tmp_path / "out").unlink()
    _stage(quickstart, tmp_path, "b").run(*script())
    assert script.runs() == 3


def test_inputs_do_not_run_together(quickstart, tmp_path):
    first, second = (_stage(quickstart, tmp_path, *i).key for i in (("ab", "c"), ("a", "bc")))
    assert first != second


def test_failure_stops_and_leaves_the_stage_interrupted(quickstart, script, tmp_path):
    stage = _stage(quickstart, tmp_path, "a")
    with pytest.raises(UserError, match=r"Step failed \(exit status 3\)"):
        stage.run(*script(status=3))
    assert stage.interrupted and not stage.done
    assert not _stage(quickstart, tmp_path, "b").interrupted  # nothing of it to resume


def test_missing_output_is_a_failure(quickstart, script, tmp_path):
    with pytest.raises(UserError, match="out is missing"):
        _stage(quickstart, tmp_path, "a").run(*script(writes=False))


def _args(quickstart, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--work-dir", str(tmp_path)])
    return quickstart.parse_args()


@pytest.mark.parametrize("interrupted", [True, False])
def test_interrupted_training_is_resumed(quickstart, tmp_path, monkeypatch, interrupted):
    """With a checkpoint of the same inputs; one of others is deleted."""
    args, commands = _args(quickstart, tmp_path, monkeypatch), []
    config = tmp_path / "config.py"
    config.write_text("a = 1")
    monkeypatch.setattr(quickstart, "config_path", lambda name: config)
    monkeypatch.setattr(
        quickstart.Stage, "run", lambda self, *c: commands.append((self, list(map(str, c))))
    )
    data = quickstart.Stage("Data", tmp_path / "d", ["d"], [])
    last = tmp_path / "metabin" / "last_checkpoint"

    def begin(key):
        last.parent.mkdir(exist_ok=True)
        last.write_text("/elsewhere/iter_5.pth")
        (last.parent / "stamp").write_text(f"begun {key}")

    begin("another")
    with pytest.raises(FileNotFoundError):  # deleted, and our run() makes no new one
        quickstart.train(args, "MetaBIN", data)
    stage, command = commands.pop()
    assert "--resume" not in command
    begin(stage.key if interrupted else "another")
    if interrupted:
        _, checkpoint = quickstart.train(args, "MetaBIN", data)
        assert "--resume" in commands.pop()[1]
        assert checkpoint == last.parent / "iter_5.pth"


def test_table_has_a_row_with_and_without_reranking(quickstart, tmp_path):
    scores = {"R1": 50.0, "R5": 75.25, "mAP": 40.0, "mINP": 20.0}
    metrics = {f"unseen/{k}": v for k, v in scores.items()}
    metrics |= {f"unseen/rerank/{k}": v + 1 for k, v in scores.items()}
    document = {
        "format": "mmreid_ext-results-1",
        "metrics": metrics,
        "test_sets": {"unseen": {"rerank": {"mAP": 0.41}}},
    }
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document))
    lines = quickstart.format_table({"MetaBIN": path}).splitlines()
    assert lines[0].split() == ["data", "set", "method", "R1", "R5", "mAP", "mINP"]
    assert lines[2].split() == ["unseen", "MetaBIN", "50.00", "75.25", "40.00", "20.00"]
    assert lines[3].split()[-4:] == ["51.00", "76.25", "41.00", "21.00"]


@pytest.mark.parametrize("name", ["metabin_r18_synthetic.py", "bn_r18_synthetic.py"])
def test_configurations_exist(quickstart, name):
    assert name in quickstart.METHODS.values()
    assert quickstart.config_path(name).is_file()


@pytest.mark.parametrize("ids", [4, 5, 7, 30])
@pytest.mark.slow
def test_any_number_of_identities_fits(quickstart, monkeypatch, tmp_path, ids):
    """Classes and batches as the data sets and samplers of the configurations need them."""
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    import mmreid_ext  # noqa: F401
    from mmreid_ext.datasets.synthetic import make_synthetic_domains
    from mmreid_ext.registry import DATA_SAMPLERS, DATASETS

    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--ids", str(ids)])
    args = quickstart.parse_args()
    small = dict(images_per_camera=2, num_cameras=2, size=(16, 16))
    make_synthetic_domains(tmp_path / "synthetic", quickstart.DOMAINS, ids, **small)
    monkeypatch.setenv("MMREID_DATA_ROOT", str(tmp_path))
    for method, name in quickstart.METHODS.items():
        _, *options = quickstart.cfg_options(args, method)
        given = {key: int(value) for key, _, value in (o.partition("=") for o in options)}
        cfg = Config.fromfile(quickstart.config_path(name))
        cfg.merge_from_dict(given)
        with DefaultScope.overwrite_default_scope("mmpretrain"):
            dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, pipeline=[]))
            assert cfg.model.head.num_classes == dataset.num_classes
            for loader in (cfg.train_dataloader, cfg.train_cfg.get("meta_dataloader")):
                if loader is not None:
                    arguments = dict(dataset=dataset, batch_size=loader.batch_size)
                    DATA_SAMPLERS.build(loader.sampler, default_args=arguments)


@pytest.mark.parametrize("ids", ["3", "0", "-1"])
def test_too_few_identities_are_refused(quickstart, monkeypatch, capsys, ids):
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--ids", ids])
    with pytest.raises(SystemExit):
        quickstart.parse_args()
    assert "at least 4" in capsys.readouterr().err


def test_options_of_the_user_come_last(quickstart, monkeypatch):
    options = ["--ids", "6", "--cfg-options", "model.head.num_classes=9"]
    monkeypatch.setattr(sys, "argv", ["quickstart.py", *options])
    assert quickstart.cfg_options(quickstart.parse_args(), "BatchNorm") == [
        "--cfg-options",
        "model.head.num_classes=12",
        "train_dataloader.batch_size=48",
        "model.head.num_classes=9",
    ]
