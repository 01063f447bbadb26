"""Tiny test sets of which no query can be answered, one for each cause."""

# pid, camid, role of every image; whether it is a distractor; words of the true cause
CAUSES = {
    "no cameras": (
        [(1, -1, "query"), (1, -1, "gallery")],
        [],
        "no image has a known camera.*no_camera",
    ),
    "one camera": (
        [(1, 4, "query"), (1, 4, "gallery"), (2, 4, "gallery")],
        [],
        "all images come from cam 5.*no_camera",
    ),
    "own camera": (
        [(1, 0, "query"), (1, 0, "gallery"), (2, 1, "gallery")],
        [],
        r"matches from their own camera only \(query cameras \[0\].*no_camera",
    ),
    "query camera unknown": (
        [(1, -1, "query"), (1, 0, "gallery"), (2, 1, "gallery")],
        [],
        "no known camera themselves",
    ),
    "gallery camera unknown": (
        [(1, 0, "query"), (1, -1, "gallery"), (2, 1, "gallery")],
        [],
        "matches of their own or of unknown cameras only",
    ),
    "gallery all junk": (
        [(1, 0, "query"), (-1, 1, "gallery")],
        [],
        "[aA]ll 1 gallery images are junk",
    ),
    "gallery all distractors": (
        [(1, 0, "query"), (7, 1, "gallery"), (7, 2, "gallery")],
        [1, 2],
        "all 2 gallery images are distractors",
    ),
    "gallery of identity 0": (
        [(1, 0, "query"), (0, 1, "gallery")],
        [],
        "[aA]ll 1 gallery images are distractors",
    ),
    "gallery junk and distractors": (
        [(1, 0, "query"), (-1, 1, "gallery"), (7, 2, "gallery")],
        [2],
        "all 2 gallery images are junk or distractors",
    ),
    "queries junk": ([(-1, 0, "query"), (1, 1, "gallery")], [], "junk themselves"),
    "queries distractors": (
        [(7, 0, "query"), (7, 1, "gallery"), (1, 1, "gallery")],
        [0, 1],
        "distractors themselves",
    ),
    "identities disjoint": (
        [(1, 0, "query"), (2, 0, "query"), (5, 1, "gallery"), (6, 1, "gallery")],
        [],
        r"queries: 1, 2; gallery: 5, 6\).*same numbering",
    ),
}
