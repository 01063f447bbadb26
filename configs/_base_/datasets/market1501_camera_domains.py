# Market-1501 for single-source domain generalisation: its six cameras are the domains (MetaBIN).
# MMREID_DATA_ROOT names the folder of all data sets (default: ./data).
meta_keys = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")
train_pipeline = [
    dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bicubic"),  # (W, H)
    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
    dict(type="mmreid_ext.PadCrop", padding=10),
    dict(type="mmreid_ext.ReIDColorJitter"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(128, 256), interpolation="bicubic"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
train_dataset = dict(
    type="mmreid_ext.Market1501", mode="train", domain_from="camera", pipeline=train_pipeline
)

# Images of all ranks together (batch_size_is_global in default_runtime.py), as in the reference.
train_dataloader = dict(
    batch_size=96,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4),
    dataset=train_dataset,
)

# Meta batches have equal shares of every domain; a group of K images shows one identity in one
# camera. The same workers and four more load them.
meta_dataloader = dict(
    batch_size=96,
    num_workers=4,
    drop_last=True,
    sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=4, group_by_camera=True),
)

val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="mmreid_ext.BenchmarkSuite",
        sources=[dict(type="mmreid_ext.Market1501")],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
