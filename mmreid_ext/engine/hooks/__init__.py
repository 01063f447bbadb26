"""Hooks: what happens beside the training."""

from .deployment_info_hook import DeploymentInfoHook

__all__ = ["DeploymentInfoHook"]
