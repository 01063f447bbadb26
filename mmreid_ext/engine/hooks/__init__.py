"""Hooks: what happens beside the training."""

from .deployment_info_hook import DeploymentInfoHook
from .stop_on_request_hook import StopOnRequestHook

__all__ = ["DeploymentInfoHook", "StopOnRequestHook"]
