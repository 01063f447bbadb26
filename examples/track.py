"""Follow people through a video with an exported model: boxes of a detector in, tracks out.

    python tools/make_synthetic.py --video walk
    python tools/export.py CHECKPOINT --for deepsort --out exported
    python examples/track.py walk --model exported/model.onnx

The video is a folder in the layout of MOTChallenge: img1/000001.jpg, and det/det.txt with lines
``frame,id,x,y,w,h,confidence``. If there is a gt/gt.txt, people are followed once more without
embeddings, and both are scored. NumPy, OpenCV, SciPy and ONNX Runtime are enough; PyTorch isn't
loaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from track_score import best_first, overlaps, score

from mmreid_ext.deploy import Embedder
from mmreid_ext.errors import UserError

NOBODY = np.zeros(0, int), np.zeros((0, 4))


class Tracker:
    """Give every box the number of the person in it: by place and look, then by look alone.

    Args:
        same: Cosine from which on a box shows a person who was lost from sight.
        overlap: Overlap with the place where a person should be, from which on a box may be them.
        patience: Frames for which that place counts.
    """

    def __init__(self, same: float, overlap: float = 0.3, patience: int = 15) -> None:
        self.same, self.overlap, self.patience = same, overlap, patience
        self.tracks: list[dict[str, Any]] = []

    def update(self, frame: int, boxes: np.ndarray, looks: np.ndarray | None) -> np.ndarray:
        """Return a number from 1 on for each box (N, 4); looks (N, D) None: by place alone."""
        gaps = np.array([frame - one["seen"] for one in self.tracks])
        places = [one["box"] + one["speed"] * (frame - one["seen"]) for one in self.tracks]
        near = overlaps(np.reshape(places, (-1, 4)), boxes) * (gaps <= self.patience)[:, None]
        cosine = np.zeros(near.shape)
        if looks is not None and self.tracks:
            cosine = np.stack([one["look"] for one in self.tracks]) @ looks.T
        pairs = best_first(np.where(near >= self.overlap, 1 + near + 2 * cosine, -9), -2)
        cosine[[row for row, _ in pairs]], cosine[:, [column for _, column in pairs]] = -9, -9
        pairs += best_first(cosine, self.same)
        numbers = np.zeros(len(boxes), int)
        for row, column in pairs:
            numbers[column] = row + 1
            self._move(self.tracks[row], frame, column, boxes, looks)
        for column in np.flatnonzero(numbers == 0):
            look = None if looks is None else looks[column]
            self.tracks.append(dict(seen=frame, box=boxes[column], speed=np.zeros(4), look=look))
            numbers[column] = len(self.tracks)
        return numbers

    @staticmethod
    def _move(
        one: dict[str, Any], frame: int, column: int, boxes: np.ndarray, looks: np.ndarray | None
    ) -> None:
        """Note where a person is now, and how they look unless they share their box."""
        box, gap = boxes[column], frame - one["seen"]
        speed = 0.8 * one["speed"] + 0.2 * (box - one["box"]) / gap if gap <= 3 else np.zeros(4)
        one.update(seen=frame, box=box, speed=speed)
        others = overlaps(box[None], np.delete(boxes, column, axis=0))
        if looks is not None and others.max(initial=0) < 0.2:
            look = 0.95 * one["look"] + 0.05 * looks[column]
            one["look"] = look / np.linalg.norm(look)


def read_boxes(
    file: Path, least: float = 0.0, slimmest: float = 0.0
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return numbers (N,) and boxes (N, 4), left, top, right and bottom edges, by frame.

    Args:
        file: Lines ``frame,id,x,y,w,h,confidence``; further columns are passed over.
        least: Smallest confidence.
        slimmest: Smallest width as a share of the height; who is cut off by the edge of the picture
            is slimmer, and no use to compare with.

    Raises:
        UserError: If the file can't be read so.
    """
    if not file.is_file():
        raise UserError(f"There is no file {file}.")
    try:
        rows = np.loadtxt(file, delimiter=",", usecols=range(7), ndmin=2).reshape(-1, 7)
    except (ValueError, IndexError) as error:
        raise UserError(f"{file}: {error}; lines are frame,id,x,y,w,h,confidence.") from error
    rows = rows[(rows[:, 6] >= least) & (rows[:, 4] >= slimmest * rows[:, 5])]
    rows[:, 4:6] += rows[:, 2:4]
    return {
        int(frame): (rows[rows[:, 0] == frame, 1].astype(int), rows[rows[:, 0] == frame, 2:6])
        for frame in np.unique(rows[:, 0])
    }


def follow(
    video: Path,
    frames: range,
    found: dict[int, tuple[np.ndarray, np.ndarray]],
    tracker: Tracker,
    embedder: Embedder | None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the numbers and boxes of the tracks in every frame."""
    tracks = []
    for frame in frames:
        _, boxes = found.get(frame, NOBODY)
        looks = None
        if embedder is not None:
            looks = embedder(video / "img1" / f"{frame:06d}.jpg", boxes)
        tracks.append((tracker.update(frame, boxes, looks), boxes))
    return tracks


def write_tracks(file: Path, tracks: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Write tracks as MOTChallenge has them; the file appears whole."""
    lines = [
        f"{frame},{number},{x:.2f},{y:.2f},{right - x:.2f},{bottom - y:.2f},1,-1,-1,-1\n"
        for frame, (numbers, boxes) in enumerate(tracks, 1)
        for number, (x, y, right, bottom) in zip(numbers, boxes, strict=True)
    ]
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text("".join(lines))
    partial.replace(file)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path, help="folder with img1/ and det/det.txt")
    parser.add_argument("--model", required=True, help="exported model, .onnx or .xml")
    parser.add_argument(
        "--same", type=float, default=0.6, help="cosine from which on two looks are one person's"
    )
    parser.add_argument("--least", type=float, default=0.5, help="smallest confidence of a box")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the tracks")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    embedder = Embedder(args.model)
    found = read_boxes(args.video / "det" / "det.txt", args.least, slimmest=0.4)
    truth_file = args.video / "gt" / "gt.txt"
    truth = read_boxes(truth_file) if truth_file.is_file() else {}
    frames = range(1, max((*found, *truth), default=0) + 1)
    tracks = follow(args.video, frames, found, Tracker(args.same), embedder)
    if args.out is not None:
        write_tracks(args.out, tracks)
        print(f"Written: {args.out}")
    if truth:
        people = [truth.get(frame, NOBODY) for frame in frames]
        plain = follow(args.video, frames, found, Tracker(args.same), None)
        for name, one in (("by place alone", plain), ("with embeddings", tracks)):
            print(f"{name:16} {score(people, one).text}")


def main() -> None:
    try:
        run(parse_args())
    except UserError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
