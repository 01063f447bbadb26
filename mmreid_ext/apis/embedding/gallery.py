"""Take the gallery of a search: stored embeddings, or pictures that are embedded now."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mmreid_ext.apis.inferencer import ReIDInferencer
from mmreid_ext.apis.stored_features import distinct_rows, is_features_file, read_embeddings
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.results.features_file import notes_as_data

from .embed_images import Progress, embed_images, number_of_shards
from .identity import notes_of, plan_of, require_same_model
from .image_list import ImageList, list_of
from .result_file import write_result
from .shards import ShardStore


class Gallery:
    """Pictures to search in.

    Attributes:
        images: Embeddings, names and labels.
        folder: Where the pictures are, if that is known.
        pid_names: Names that the user gave to identities.
        unreadable: Reason by name of pictures that couldn't be embedded.
    """

    def __init__(
        self, images: EmbeddingSet, notes: dict[str, str], source: str, folder: Path | None
    ) -> None:
        self.images, self.folder = images, folder
        self.pid_names: dict[int, str] = {}
        for names in notes_as_data(notes, source)["pid_names"].values():
            self.pid_names |= names
        self.unreadable: dict[str, str] = {}

    def own_places(self, queries: Sequence[str]) -> list[set[int]]:
        """Return the rows of the gallery that are the file of each query.

        Where the folder of the gallery isn't known, they are those with the end of its path as
        name.
        """
        places: dict[str, set[int]] = {}
        for row, name in enumerate(self.images.names.tolist()):
            if self.folder is None:
                path = name.removeprefix("./")
            else:
                path = os.path.realpath(os.path.join(self.folder, name))
            places.setdefault(path, set()).add(row)
        files = [os.path.realpath(query) for query in queries]
        if self.folder is not None:
            return [places.get(file, set()) for file in files]
        return [set().union(*(places.get(end, set()) for end in _ends(file))) for file in files]


def _ends(path: str) -> list[str]:
    """List a path and what is left of it without its first folders: ``/a/b``, ``a/b``, ``b``."""
    parts = path.split("/")
    return [path, *("/".join(parts[start:]) for start in range(1, len(parts)))]


def open_gallery(
    source: str,
    model: str | os.PathLike,
    inferencer: ReIDInferencer,
    *,
    save: Path | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Gallery:
    """Read stored embeddings, or embed the pictures of a folder or a list.

    Args:
        source: A features file, or what :func:`.image_list.list_of` takes.
        model: The checkpoint of the inferencer.
        inferencer: Embeds.
        save: Features file to keep the embeddings in, for later searches.
        threads: Threads that decode pictures.
        progress: See :func:`.embed_images.embed_images`.

    Raises:
        UserError: If stored embeddings are of another model, or there is no picture.
    """
    now = notes_of(model, inferencer)
    if is_features_file(source):
        images, notes = read_embeddings(source, in_memory=False)
        require_same_model(notes, source, now)
        if not len(images):
            raise UserError(f"{source} holds no embedding: none of its pictures could be read.")
        return Gallery(images.take(distinct_rows(images)), notes, source, None)
    listed = list_of(source)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "gallery.npz") if save is None else save
        images, notes, unreadable = embed_to_file(
            inferencer, listed, out, now, threads=threads, progress=progress
        )
    if not len(images):
        raise UserError(
            f"{source}: none of {len(listed):,} pictures can be read, first {listed.name(0)}: "
            f"{unreadable[0]}"
        )
    gallery = Gallery(images, notes, source, listed.folder)
    gallery.unreadable = {listed.name(place): why for place, why in unreadable.items()}
    return gallery


def embed_to_file(
    inferencer: ReIDInferencer,
    images: ImageList,
    out: Path,
    notes: dict[str, str],
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> tuple[EmbeddingSet, dict[str, str], dict[int, str]]:
    """Embed a list in this process and return what was written."""
    store = ShardStore(out, plan_of(notes, images, inferencer.batch_size))
    with store.held():
        store.prepare()
        embed_images(inferencer, images, store, threads=threads, progress=progress)
        _, unreadable = write_result(out, images, store, number_of_shards(images), notes)
        store.remove()
    return *read_embeddings(out), unreadable
