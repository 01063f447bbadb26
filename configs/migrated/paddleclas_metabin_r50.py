# MetaBIN of PaddleClas (MetaBIN_ResNet50_cross_domain), converted by
#   python tools/convert.py latest.pdparams --from paddleclas --out metabin.pth
# and tested as there: bicubic by Pillow, after the neck, on DukeMTMC-reID (trained on Market-1501).
# Its authors withdrew that set. Whoever lacks it writes another one into `sources`.
_base_ = ["metabin_r50_official.py"]

model = dict(head=dict(num_classes=751))
test_sets = [dict(type="mmreid_ext.DukeMTMC")]
val_dataloader = dict(dataset=dict(sources=test_sets))
test_dataloader = dict(dataset=dict(sources=test_sets))
