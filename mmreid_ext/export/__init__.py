"""Write trained models as files that other programs run."""

from .exporting import Exported, export_model
from .plan import ExportPlan

__all__ = ["ExportPlan", "Exported", "export_model"]
