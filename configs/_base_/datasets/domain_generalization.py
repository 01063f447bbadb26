# Domain generalisation. It trains on all images (train, query, gallery) of several data sets, one
# domain each. It tests on four small unseen sets, ten random splits each, mean and deviation.
meta_keys = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")
train_pipeline = [
    dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bicubic"),  # (W, H)
    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
    dict(type="mmreid_ext.PadCrop", padding=10),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(128, 256), interpolation="bicubic"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
train_dataset = dict(
    type="mmreid_ext.MultiSourceDataset",
    sources=[
        dict(type="mmreid_ext.Market1501", combine_all=True),
        dict(type="mmreid_ext.CUHK02", combine_all=True),
        dict(type="mmreid_ext.CUHK03", combine_all=True),
        dict(type="mmreid_ext.CUHKSYSU", combine_all=True),
    ],
    pipeline=train_pipeline,
)

train_dataloader = dict(
    batch_size=80,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4),
    dataset=train_dataset,
)
meta_dataloader = dict(
    batch_size=80,
    num_workers=4,
    drop_last=True,
    sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=4),
)

val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="mmreid_ext.BenchmarkSuite",
        sources=[
            dict(type="mmreid_ext.VIPeR"),
            dict(type="mmreid_ext.PRID2011"),
            dict(type="mmreid_ext.GRID"),
            # one gallery image per person, as MetaBIN reports it
            dict(type="mmreid_ext.ILIDS", protocol=dict(type="ilids", gallery_shots=1)),
        ],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
