"""Send what a training logs to TensorBoard, MLflow or Weights & Biases.

Each is a backend of MMEngine's visualizer. ``tools/train.py --tensorboard`` (``--mlflow``,
``--wandb``) adds it to the backends of the configuration, whose JSON files stay.
"""

from .mlflow_tracker import MLflowTracker
from .tensorboard_tracker import TensorboardTracker
from .tracker import Tracker
from .wandb_tracker import WandbTracker

__all__ = ["MLflowTracker", "TensorboardTracker", "Tracker", "WandbTracker"]
