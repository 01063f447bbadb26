# Handwritten characters (Omniglot) in the layout of Stanford Online Products: 136 classes to train
# on, 106 others to test, 20 drawings each, 40 x 40 pixels. The folder `omniglot_sop` of
# MMREID_DATA_ROOT must hold Ebay_train.txt, Ebay_test.txt and the pictures they name.
meta_keys = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")
train_pipeline = [
    dict(type="LoadImageFromFile"),
    # No flip: a mirrored letter is another letter.
    dict(type="RandomResizedCrop", scale=40, crop_ratio_range=(0.5, 1.0)),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(40, 40), interpolation="area"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys=meta_keys),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4, strategy="remaining_weighted"),
    dataset=dict(
        type="mmreid_ext.SOP", folder="omniglot_sop", name="omniglot", pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=1,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="mmreid_ext.BenchmarkSuite",
        sources=[dict(type="mmreid_ext.SOP", folder="omniglot_sop", name="omniglot")],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
