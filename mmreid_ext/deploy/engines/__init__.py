"""Run exported models: one small interface, one file per engine."""

from .open import ENGINES, Engine, open_engine

__all__ = ["ENGINES", "Engine", "open_engine"]
