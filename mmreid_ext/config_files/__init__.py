"""Configuration files: which are code, which are data, and how both are read."""

from .guarded_names import guard_registries
from .laid_out import lay_out_once
from .reading import read_config_file
from .yaml_data import never_call_from_yaml

__all__ = ["guard_registries", "lay_out_once", "never_call_from_yaml", "read_config_file"]
