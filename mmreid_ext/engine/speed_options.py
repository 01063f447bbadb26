"""Where the options of speed were before ``mmreid_ext.cli``."""

from mmreid_ext.cli.speed_options import add_speed_arguments, apply_speed_arguments, store_decoded

__all__ = ["add_speed_arguments", "apply_speed_arguments", "store_decoded"]
