# CUHK03, new protocol, detected boxes: the market1501.py recipe on other images. It needs
# model.head.num_classes=767.
_base_ = ["market1501.py"]

train_dataloader = dict(dataset=dict(type="mmreid_ext.CUHK03"))
val_dataloader = dict(dataset=dict(sources=[dict(type="mmreid_ext.CUHK03")]))
test_dataloader = val_dataloader
