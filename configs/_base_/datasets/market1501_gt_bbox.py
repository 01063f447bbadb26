# Market-1501's hand-drawn boxes (folder gt_bbox). It trains on the first 1,421 identities and tests
# every image of the last 80 against all others.
_base_ = ["market1501_square.py"]

train_dataloader = dict(dataset=dict(type="mmreid_ext.Market1501GTBBox"))
val_dataloader = dict(dataset=dict(sources=[dict(type="mmreid_ext.Market1501GTBBox")]))
test_dataloader = val_dataloader
