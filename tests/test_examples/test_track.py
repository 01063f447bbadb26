"""The tracker of the examples: by place, by look, from end to end."""

import sys

import numpy as np
import pytest
from helpers.exported_model import write_onnx
from helpers.paths import ROOT
from helpers.small_checkpoint import write_small_checkpoint
from helpers.tools import load_script, run_python, run_tool

from mmreid_ext.datasets.synthetic import make_synthetic_video
from mmreid_ext.errors import UserError

sys.path.insert(0, str(ROOT / "examples"))
from track import Tracker, read_boxes, write_tracks

ANNA, BERT = np.eye(2)


def box(x, y=0.0):
    return [x, y, x + 10, y + 20]


def run(rows, looks):
    """Numbers per frame; rows: boxes per frame, looks: the same for embeddings, or None."""
    tracker = Tracker(same=0.6)
    return [
        tracker.update(
            frame,
            np.array(boxes, float).reshape(-1, 4),
            None if looks is None else np.array(looks[frame - 1], float).reshape(-1, 2),
        ).tolist()
        for frame, boxes in enumerate(rows, 1)
    ]


def test_who_moves_a_little_keeps_the_number():
    rows = [[box(x), box(100 - x)] for x in range(0, 30, 3)]
    assert run(rows, None) == [[1, 2]] * 10
    assert run(rows, [[ANNA, BERT]] * 10) == [[1, 2]] * 10


def test_who_comes_back_is_known_by_look_only():
    rows = [[box(0)], [], [box(300)]]
    assert run(rows, None) == [[1], [], [2]]
    assert run(rows, [[ANNA], [], [ANNA]]) == [[1], [], [1]]
    assert run(rows, [[ANNA], [], [BERT]]) == [[1], [], [2]]


def test_two_who_pass_one_another_keep_their_numbers_by_look():
    """Both stand still at the meeting point, then walk back: places say the opposite of looks."""
    rows = [[box(0), box(8)], [box(3), box(5)], [box(5), box(3)]]
    assert run(rows, [[ANNA, BERT]] * 3) == [[1, 2]] * 3
    assert run(rows, None)[2] == [2, 1]


def test_place_is_forgotten_and_speed_is_used():
    steady = [[box(4 * f)] for f in range(20)] + [[]] * 4 + [[box(4 * 24)]]
    assert run(steady, None)[-1] == [1], "four frames unseen, but where they should be"
    long = [[box(0)]] * 3 + [[]] * 20 + [[box(0)]]
    assert run(long, None)[-1] == [2]


def test_one_number_is_given_once_in_a_frame():
    rows = [[box(0)], [], [box(200), box(300)]]
    assert sorted(run(rows, [[ANNA], [], [ANNA, ANNA]])[2]) == [1, 2]


def test_boxes_of_a_file(tmp_path):
    file = tmp_path / "det.txt"
    file.write_text(
        "2,-1,10,20,30,60,0.9,-1,-1,-1\n1,-1,0,0,5,60,0.9,-1,-1,-1\n2,4,1,2,30,60,0.4,1\n"
    )
    file.write_text("\n".join(",".join(row.split(",")[:7]) for row in file.read_text().split()))
    found = read_boxes(file)
    assert sorted(found) == [1, 2] and found[2][0].tolist() == [-1, 4]
    assert found[2][1].tolist() == [[10, 20, 40, 80], [1, 2, 31, 62]]
    assert [len(read_boxes(file, 0.5, 0.4).get(f, ((),))[0]) for f in (1, 2)] == [0, 1]
    file.write_text("1,2,three\n")
    with pytest.raises(UserError, match=r"det.txt: .*lines are frame,id,x,y,w,h,confidence"):
        read_boxes(file)
    with pytest.raises(UserError, match="There is no file"):
        read_boxes(tmp_path / "none")


def test_tracks_are_written_as_benchmarks_read_them(tmp_path):
    boxes = np.array([box(1.5), box(30)])
    write_tracks(tmp_path / "t.txt", [(np.array([3, 1]), boxes), (np.zeros(0, int), boxes[:0])])
    assert (tmp_path / "t.txt").read_text().splitlines() == [
        "1,3,1.50,0.00,10.00,20.00,1,-1,-1,-1",
        "1,1,30.00,0.00,10.00,20.00,1,-1,-1,-1",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["t.txt"]


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk") / "video"
    return make_synthetic_video(folder, 4, 90, size=(120, 200), seed=1)


def test_from_end_to_end(walk, tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    model = write_onnx(tmp_path)
    example = load_script(ROOT / "examples" / "track.py")
    words = ["track", walk, "--model", model, "--out", tmp_path / "tracks.txt", "--same", 0.9]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    example.main()
    written, plain, looks = capsys.readouterr().out.splitlines()
    assert written == f"Written: {tmp_path / 'tracks.txt'}"
    assert plain.startswith("by place alone ") and looks.startswith("with embeddings ")
    assert all("identity switches, IDF1 " in line for line in (plain, looks))
    rows = np.loadtxt(tmp_path / "tracks.txt", delimiter=",")
    found = read_boxes(walk / "det" / "det.txt", 0.5, 0.4)
    assert len(rows) == sum(len(boxes) for _, boxes in found.values()) > 50
    assert len({tuple(row[:2]) for row in rows}) == len(rows), "a number twice in a frame"


def test_what_is_missing_is_said_in_one_line(tmp_path, monkeypatch):
    example = load_script(ROOT / "examples" / "track.py")
    monkeypatch.setattr(sys, "argv", ["track", str(tmp_path), "--model", "none.onnx"])
    with pytest.raises(SystemExit, match=r"error: There is no exported model 'none.onnx'"):
        example.main()


def test_pytorch_is_not_loaded():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import track\n"
        "heavy = {'torch', 'mmengine', 'mmcv', 'mmpretrain'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = run_python(code, ROOT / "examples")
    assert done.returncode == 0, done.stderr


def test_from_a_checkpoint_to_tracks(walk, tmp_path, monkeypatch, capsys):
    """The commands of the documents, one after another."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    checkpoint = write_small_checkpoint(tmp_path)
    run_tool("export", monkeypatch, checkpoint, "--for", "deepsort", "--out", tmp_path / "out")
    assert "DeepSort(embedder=None)" in capsys.readouterr().out
    example = load_script(ROOT / "examples" / "track.py")
    words = ["track", str(walk), "--model", str(tmp_path / "out" / "model.onnx")]
    monkeypatch.setattr(sys, "argv", words)
    example.main()
    assert "with embeddings " in capsys.readouterr().out
