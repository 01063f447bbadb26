"""Tables of a gallery file.

``changes`` tells other processes which pictures were deleted or labelled anew; it holds numbers
only. Pictures are never renumbered: ``AUTOINCREMENT`` gives no id twice.
"""

OURS = 0x6D6D7265
"""SQLite's ``application_id`` of our files: ``mmre``."""

FORMAT = 1
"""SQLite's ``user_version``: the format that is written, and the latest that is read."""

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE images (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, "
    "identity TEXT, camera TEXT, time REAL, source TEXT, embedding BLOB NOT NULL)",
    "CREATE INDEX by_identity ON images (identity)",
    "CREATE INDEX by_time ON images (time, camera)",
    "CREATE TABLE thumbnails (id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL)",
    "CREATE INDEX by_thumbnail ON thumbnails (id)",  # counts them without reading them
    "CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL, "
    "deleted INTEGER NOT NULL)",
)
