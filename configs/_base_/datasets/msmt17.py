# MSMT17: the market1501.py recipe on other images. It needs model.head.num_classes=1041.
_base_ = ["market1501.py"]

train_dataloader = dict(dataset=dict(type="mmreid_ext.MSMT17"))
val_dataloader = dict(dataset=dict(sources=[dict(type="mmreid_ext.MSMT17")]))
test_dataloader = val_dataloader
