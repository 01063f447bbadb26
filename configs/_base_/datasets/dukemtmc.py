# DukeMTMC-reID (withdrawn by its authors; for those who have it): the market1501.py recipe on
# other images. It needs model.head.num_classes=702.
_base_ = ["market1501.py"]

train_dataloader = dict(dataset=dict(type="mmreid_ext.DukeMTMC"))
val_dataloader = dict(dataset=dict(sources=[dict(type="mmreid_ext.DukeMTMC")]))
test_dataloader = val_dataloader
