# Test on VIPeR only: ten random halves of its identities, 316 x 316, mean and deviation.
meta_keys = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(128, 256), interpolation="bicubic"),  # (width, height)
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="mmreid_ext.BenchmarkSuite",
        sources=[dict(type="mmreid_ext.VIPeR")],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
