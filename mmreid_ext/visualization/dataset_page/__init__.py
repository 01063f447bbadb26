"""Write what was found in a data set as one HTML page."""

from .page import save_dataset_page

__all__ = ["save_dataset_page"]
