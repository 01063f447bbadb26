"""Find the record of an exported model in its file, or in the file beside it, without an engine."""

from .find import KEY, SUFFIXES, embedded_record, record_beside

__all__ = ["KEY", "SUFFIXES", "embedded_record", "record_beside"]
