import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets.own_images.mot import looks_like_mot, mot_files_in, read_mot
from mmreid_ext.errors import MissingFileError, UserError

TRACKS = "1,7,10,20,30,40,1,1,1\n2,7,11,20,30,40,1,1,0.5\n1,8,1.5,2,3,4,1,1,1\n"


@pytest.fixture
def sequence(tmp_path):
    write_images(tmp_path / "seq" / "img1", "000001.jpg", "000002.jpg")
    (tmp_path / "seq" / "gt").mkdir()
    (tmp_path / "seq" / "gt" / "gt.txt").write_text(TRACKS)
    return tmp_path / "seq"


def test_a_sequence(sequence):
    found = read_mot(sequence)
    assert [(i.path.name, i.person, i.box, i.frame) for i in found.images] == [
        ("000001.jpg", "7", (10, 20, 30, 40), 1),
        ("000002.jpg", "7", (11, 20, 30, 40), 2),
        ("000001.jpg", "8", (1.5, 2, 3, 4), 1),
    ]
    assert found.is_track and read_mot(sequence / "gt" / "gt.txt").images == found.images


@pytest.mark.parametrize("line", ["1 7 10 20 30 40", "1,7,10,20,30,40,0.93,-1,-1,-1"])
def test_output_of_trackers(sequence, line):
    path = sequence / "tracks.txt"
    path.write_text(line)
    assert looks_like_mot(path) and len(read_mot(path).images) == 1


def test_what_is_left_out(sequence):
    lines = ["1,9,1,1,9,9,0,1,1", "1,9,1,1,9,9,1,7,1", "1,-1,1,1,9,9,1", "5,9,1,1,9,9,1,1,1", ""]
    (sequence / "gt" / "gt.txt").write_text(TRACKS + "\n".join(lines))
    assert read_mot(sequence).left_out == {
        "marked as ignored or no pedestrians": ["line 4", "line 5"],
        "detections without a track id": ["line 6"],
        "no picture of their frame": ["frame 5"],
    }


def test_tracks_of_two_sequences_are_different_people(sequence):
    other = sequence.parent / "other"
    sequence_copy = [p for p in sequence.rglob("*") if p.is_file()]
    for path in sequence_copy:
        target = other / path.relative_to(sequence)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    assert len(mot_files_in(sequence.parent)) == 2
    found = read_mot(sequence.parent)
    assert {image.person for image in found.images} == {"seq_7", "seq_8", "other_7", "other_8"}
    assert "different people" in found.notes[0]


def test_frames_that_are_elsewhere(sequence, tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text(TRACKS)
    with pytest.raises(MissingFileError, match=r"name their folder by --frames.*ffmpeg"):
        read_mot(path)
    assert len(read_mot(path, sequence / "img1").images) == 3


def test_other_text(sequence):
    path = sequence / "gt" / "gt.txt"
    path.write_text(TRACKS + "1,7,ten,20,30,40\n")
    with pytest.raises(UserError, match=r"line 4: '1,7,ten,20,30,40' is not frame,id"):
        read_mot(path)
    for strange in ("inf,7", "1,nan", "1e999,7"):
        path.write_text(TRACKS + f"{strange},10,20,30,40\n")
        with pytest.raises(UserError, match=f"line 4: '{strange},10.*in numbers"):
            read_mot(path)
    path.write_text("path,pid\n")
    assert not looks_like_mot(path)
    with pytest.raises(MissingFileError, match="no gt/gt.txt"):
        read_mot(sequence / "img1")
