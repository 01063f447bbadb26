# Synthetic pedestrians: train on domains 0-3, test on the unseen fifth. One minute makes them:
#   python tools/make_synthetic.py --out data/synthetic --domains 5 --ids 100
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(32, 64), interpolation="bicubic")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=3),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
train_dataset = dict(
    type="mmreid_ext.MultiSourceDataset",
    sources=[dict(type="mmreid_ext.SyntheticReID", domain=d) for d in range(4)],
    loader=image_loader,
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
    num_workers=1,
    dataset=dict(
        sources=[dict(type="mmreid_ext.SyntheticReID", domain=4)],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
