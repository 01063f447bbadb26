# Domain generalisation on a laptop: four data sets, one domain each, at 128 x 64: the first 150
# training identities of Market-1501, CUHK01, a part of CUHK03 and PKU-Reid. It tests on VIPeR,
# which training never sees, and on the first 150 query identities of Market-1501.
# CUHK03 and PKU-Reid are lists with the columns path,pid,camid,split, below MMREID_DATA_ROOT. In
# place of the first, the published archive does, too: dict(type='mmreid_ext.CUHK03').
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(64, 128), interpolation="bicubic")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=5),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
train_dataset = dict(
    type="mmreid_ext.MultiSourceDataset",
    sources=[
        dict(type="mmreid_ext.Market1501", max_identities=150),
        dict(type="mmreid_ext.CUHK01", combine_all=True),
        dict(type="mmreid_ext.CSVDataset", csv_file="cuhk03_p1/annotations.csv"),
        dict(type="mmreid_ext.CSVDataset", csv_file="pku_reid/annotations.csv"),
    ],
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
    sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=4),
)

val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.VIPeR"),
            dict(type="mmreid_ext.Market1501", max_identities=150),
        ],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
