"""A small configuration file, and how a tool loads it."""

import argparse

from mmreid_ext.cli.config import add_launch_arguments, load_config

TEXT = """
max_iters = 100
milestones = [40, 70]
model = dict(type="A", head=dict(num_classes=3))
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1))
param_scheduler = [dict(type="MultiStepLR", milestones=milestones)]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters)
env_cfg = dict(dist_cfg=dict(backend="nccl"))
"""


def load(path, *arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_launch_arguments(parser)
    return load_config(parser.parse_args([str(path), *arguments]))
