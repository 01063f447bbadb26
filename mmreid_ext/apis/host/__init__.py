"""Lets MMPretrain's own calls find and use our models: its model hub, extractor and retriever."""

from .model_hub import register_models
from .retriever import as_retriever

__all__ = ["as_retriever", "register_models"]
