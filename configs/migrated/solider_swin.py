# SOLIDER-REID's Swin (tiny, small, base), converted by
#   python tools/convert.py transformer_120.pth --from solider --out solider.pth
# and tested as there: 384 x 128, mean and standard deviation 0.5, before the neck, semantic weight
# 0.2.
_base_ = ["transreid_vit_b16.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.SemanticSwin",
        arch="small",
        img_size=(384, 128),
        pad_small_map=True,
        semantic_weight=0.2,
    ),
    neck=dict(_delete_=True, type="GlobalAveragePooling"),
)

# Scale is width and height.
test_pipeline = [
    dict(type="Resize", scale=(128, 384), interpolation="bilinear", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
