# The default runtime for loops that count epochs.
_base_ = ["default_runtime.py"]

default_hooks = dict(checkpoint=dict(by_epoch=True, interval=20))
log_processor = dict(by_epoch=True)
