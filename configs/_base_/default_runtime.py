# Settings of all configurations. `default_scope` makes MMPretrain's modules reachable by their bare
# names.
default_scope = "mmpretrain"
custom_imports = dict(imports=["mmreid_ext"], allow_failed_imports=False)

# Batch sizes count all ranks together: the same run on 1, 2 or 4 (see docs/distributed.md).
batch_size_is_global = True

val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000, max_keep_ckpts=2),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    deployment_info=dict(type="mmreid_ext.DeploymentInfoHook"),
)
log_processor = dict(by_epoch=False)

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl", timeout=300),
)
visualizer = dict(type="UniversalVisualizer", vis_backends=[dict(type="LocalVisBackend")])
randomness = dict(seed=0)
log_level = "INFO"
load_from = None
resume = False
