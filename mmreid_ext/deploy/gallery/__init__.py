"""Keep embeddings of people and find the nearest: in one file, or on a Milvus server.

What it promises, in one file (``people.db``):

* **Durability.** ``add``, ``delete`` and ``label`` return when the change is on the disk. Killing
  the process or cutting the power afterwards loses nothing; before that, all of the call or
  nothing of it is there.
* **Exactness.** A search compares the query with every picture that passes the filters. The
  similarity is the inner product of the float32 query, scaled to length one, and the stored
  float16 embedding. Equal similarities come in order of id.
* **Sharing.** Several processes may read and write one file. A search sees what was committed
  before it began. Network file systems are no place for the file: SQLite's locks fail there.
* **Privacy.** After ``delete`` the file, its log and its free pages hold neither the embedding nor
  the hash, the texts or the thumbnail; the index of this process neither. After ``label`` they
  don't hold the earlier name, if nobody else has it. What a killed process or a long reader has
  prevented is done when the gallery is next opened for writing, or changed. Other processes let go
  of what is deleted at their next search. Copies of the file, backups and what a solid-state disk
  keeps below the file system are beyond its reach. The file isn't encrypted: embeddings of people
  are personal data, so guard it (it is made readable by its owner only).
"""

from .gallery import Gallery
from .records import Added, Filters, GalleryInfo, GalleryModel, Hit, RerankOptions

__all__ = [
    "Added",
    "Filters",
    "Gallery",
    "GalleryInfo",
    "GalleryModel",
    "Hit",
    "RerankOptions",
]
