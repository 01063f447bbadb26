"""Procedural pedestrians in several cameras and domains, for tests, demonstrations and studies."""

from .video import drawn_frames, make_synthetic_video
from .writer import make_synthetic_domains

__all__ = ["drawn_frames", "make_synthetic_domains", "make_synthetic_video"]
