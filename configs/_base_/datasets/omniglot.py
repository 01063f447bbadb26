# Handwritten characters (Omniglot) in the layout of Stanford Online Products: 136 classes to train
# on, 106 others to test, 20 drawings each, 40 x 40 pixels. The folder `omniglot_sop` of
# MMREID_DATA_ROOT must hold Ebay_train.txt, Ebay_test.txt and the pictures they name.
_base_ = ["evaluation_loader.py"]

train_pipeline = [
    # No flip: a mirrored letter is another letter.
    dict(type="RandomResizedCrop", scale=40, crop_ratio_range=(0.5, 1.0)),
    dict(type="mmreid_ext.PackForDevice"),
]
test_pipeline = [
    dict(type="Resize", scale=(40, 40), interpolation="area"),
    dict(type="mmreid_ext.PackReIDInputs"),
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
    num_workers=1,
    dataset=dict(
        sources=[dict(type="mmreid_ext.SOP", folder="omniglot_sop", name="omniglot")],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
