"""Find the folder of a benchmark and read what its file names say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmreid_ext.datasets.folders import contents, find_folder
from mmreid_ext.datasets.records import Record
from mmreid_ext.pictures.folder import image_names


class BenchmarkFolder:
    """Files of one benchmark.

    Attributes:
        folder_names: Names that its folder may have, the published one first.
        layouts: Alternative sets of paths that its folder must contain.
        obtain: How to get it.
        name_form: What file names look like, for messages.
        name: Name of the data set, for messages.
        data_folder: Folder with the benchmark's folder in it, or that folder itself.
        unparsed: Names of files that could not be interpreted.
        empty: Folders and lists in which there was nothing.
    """

    folder_names: Sequence[str] = ()
    layouts: Sequence[Sequence[str]] = ((),)
    obtain: str = ""
    name_form: str = ""
    name: str
    data_folder: str | os.PathLike | None
    unparsed: list[str]
    empty: list[str]

    def find(self) -> Path:
        """Return the benchmark's folder.

        Raises:
            FileNotFoundError: If it is missing or incomplete.
        """
        return find_folder(
            self.data_folder, self.folder_names, self.layouts, title=self.name, obtain=self.obtain
        )

    def read_folder(
        self, folder: Path, role: str, pattern: re.Pattern, camid: int | None = None
    ) -> Iterator[Record]:
        """Yield a record for every image of ``folder``, and note names that are off the pattern.

        Args:
            folder: Folder of images.
            role: Their role.
            pattern: Matched against the beginning of the file name, with the groups ``pid`` and
                ``cam``.
            camid: Camera of all images. None: ``cam`` of the pattern, counted from 1.
        """
        names = image_names(folder) if folder.is_dir() else []
        if not names:
            self.empty.append(f"{folder} ({contents(folder)})")
        place = str(folder / "x")[:-1]  # text, since 30,000 objects of pathlib take 0.2 s
        for name in names:
            found = pattern.match(name)
            if found is None:
                self.unparsed.append(place + name)
                continue
            camera = int(found["cam"]) - 1 if camid is None else camid
            yield dict(img_path=place + name, pid=int(found["pid"]), camid=camera, role=role)
