"""Options of ``tools/train.py``: one file per option, each adds its arguments and applies them."""
