# Pictures of your own, listed in a CSV file. Nothing here depends on the number of people or on
# cameras. The list, and a configuration whose batches and iterations fit it, are written by
#   python tools/prepare_folder.py PHOTOS --out DIR
# `csv_file` is relative to MMREID_DATA_ROOT (default: ./data).
_base_ = ["evaluation_loader.py"]

csv_file = "own_images/annotations.csv"
# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bilinear")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=10),
            dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]

# Every identity is drawn equally often; those with fewer than K pictures repeat them.
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4, strategy="id_avg_prob"),
    dataset=dict(
        type="mmreid_ext.CSVDataset",
        csv_file=csv_file,
        mode="train",
        loader=image_loader,
        pipeline=train_pipeline,
    ),
)

val_dataloader = dict(
    num_workers=2,
    dataset=dict(
        sources=[dict(type="mmreid_ext.CSVDataset", csv_file=csv_file)],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
