"""Write files that a checkpoint could be."""

import torch


def saved(path, content, **kwargs):
    torch.save(content, path, **kwargs)
    return path


class Call:
    def __init__(self, function, *args):
        self.parts = function, args

    def __reduce__(self):
        return self.parts
