# Synthetic pedestrians: train on domains 0-3, test on the unseen fifth. One minute makes them:
#   python tools/make_synthetic.py --out data/synthetic --domains 5 --ids 100
meta_keys = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")
train_pipeline = [
    dict(type="mmreid_ext.LoadResized", scale=(32, 64), interpolation="bicubic"),  # (W, H)
    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
    dict(type="mmreid_ext.PadCrop", padding=3),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(32, 64), interpolation="bicubic"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
train_dataset = dict(
    type="mmreid_ext.MultiSourceDataset",
    sources=[dict(type="mmreid_ext.SyntheticReID", domain=d) for d in range(4)],
    pipeline=train_pipeline,
)

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4),
    dataset=train_dataset,
)
meta_dataloader = dict(
    batch_size=64,
    num_workers=1,
    drop_last=True,
    sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=4),
)

val_dataloader = dict(
    batch_size=128,
    num_workers=1,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="mmreid_ext.BenchmarkSuite",
        sources=[dict(type="mmreid_ext.SyntheticReID", domain=4)],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
