# VehicleID: the market1501.py recipe on square pictures of vehicles. It tests on the small, the
# medium and the large list, ten random galleries each. It needs model.head.num_classes=13164.
_base_ = ["market1501.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(256, 256), interpolation="bilinear")

train_dataloader = dict(dataset=dict(type="mmreid_ext.VehicleID", loader=image_loader))
val_dataloader = dict(
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.VehicleID", test_size=800),
            dict(type="mmreid_ext.VehicleID", test_size=1600),
            dict(type="mmreid_ext.VehicleID", test_size=2400),
        ],
        loader=image_loader,
    ),
)
test_dataloader = val_dataloader
