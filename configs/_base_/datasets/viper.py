# Test on VIPeR only: ten random halves of its identities, 316 x 316, mean and deviation.
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bicubic")
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]
val_dataloader = dict(
    dataset=dict(
        sources=[dict(type="mmreid_ext.VIPeR")],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
