"""Checkpoints of other programs: read, recognised, and translated into our names and shapes.

A conversion is a table of names with a few changes of shape, one file per program in
:mod:`.sources`. It is complete both ways, or refused.
"""

from .fitting import Fit, fit, require_complete
from .foreign_file import read_foreign
from .guessing import Guess, guess_source, source_named
from .source import Choice, Named, Source, Translated, translate
from .sources import SOURCES

__all__ = [
    "SOURCES",
    "Choice",
    "Fit",
    "Guess",
    "Named",
    "Source",
    "Translated",
    "fit",
    "guess_source",
    "read_foreign",
    "require_complete",
    "source_named",
    "translate",
]
