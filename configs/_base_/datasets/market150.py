# A cut of Market-1501 for a laptop: the first 150 training identities (2,967 images, cameras as
# domains) at 128 x 64. It tests on the first 150 query identities and on the unseen second half of
# VIPeR.
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(64, 128), interpolation="bicubic")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=5),
            dict(type="mmreid_ext.ReIDColorJitter"),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
train_dataset = dict(
    type="mmreid_ext.Market1501",
    mode="train",
    max_identities=150,
    domain_from="camera",
    loader=image_loader,
    pipeline=train_pipeline,
)

train_dataloader = dict(
    batch_size=48,
    num_workers=1,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4),
    dataset=train_dataset,
)
meta_dataloader = dict(
    batch_size=48,
    num_workers=1,
    drop_last=True,
    sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=4, group_by_camera=True),
)

val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.Market1501", max_identities=150),
            dict(type="mmreid_ext.VIPeR", half=2),
        ],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
