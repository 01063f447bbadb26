# Market-1501 for supervised re-ID: 16 identities x 4 images, bilinear resizing, flip, crop, random
# erasing. MMREID_DATA_ROOT names the folder of all data sets (default: ./data).
meta_keys = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")
train_pipeline = [
    dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bilinear"),  # (W, H)
    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
    dict(type="mmreid_ext.PadCrop", padding=10),
    dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(128, 256), interpolation="bilinear"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(
        type="mmreid_ext.PKSampler",
        num_instances=4,
        strategy="exhaustive_drop",
    ),
    dataset=dict(type="mmreid_ext.Market1501", mode="train", pipeline=train_pipeline),
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
