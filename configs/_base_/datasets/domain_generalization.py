# Domain generalisation. It trains on all images (train, query, gallery) of several data sets, one
# domain each. It tests on four small unseen sets, ten random splits each, mean and deviation.
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bicubic")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=10),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
train_dataset = dict(
    type="mmreid_ext.MultiSourceDataset",
    sources=[
        dict(type="mmreid_ext.Market1501", combine_all=True),
        dict(type="mmreid_ext.CUHK02", combine_all=True),
        dict(type="mmreid_ext.CUHK03", combine_all=True),
        dict(type="mmreid_ext.CUHKSYSU", combine_all=True),
    ],
    loader=image_loader,
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
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.VIPeR"),
            dict(type="mmreid_ext.PRID2011"),
            dict(type="mmreid_ext.GRID"),
            # one gallery image per person, as MetaBIN reports it
            dict(type="mmreid_ext.ILIDS", protocol=dict(type="ilids", gallery_shots=1)),
        ],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
