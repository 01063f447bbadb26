# Market-1501 for single-source domain generalisation: its six cameras are the domains (MetaBIN).
# MMREID_DATA_ROOT names the folder of all data sets (default: ./data).
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bicubic")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=10),
            dict(type="mmreid_ext.ReIDColorJitter"),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
train_dataset = dict(
    type="mmreid_ext.Market1501",
    mode="train",
    domain_from="camera",
    loader=image_loader,
    pipeline=train_pipeline,
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
    dataset=dict(
        sources=[dict(type="mmreid_ext.Market1501")],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
