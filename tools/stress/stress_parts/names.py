"""Names that the command lines know before anything heavy is imported."""

RECIPES = ("metabin", "baseline", "xbm", "arcmargin", "pairs")
"""Small runs, see ``recipes.py``."""

KINDS = ("rank", "all", "machine", "worker", "stop")
"""Who is killed: one rank, all ranks, all processes, a process that loads pictures. ``stop`` asks
one rank by SIGTERM instead."""
