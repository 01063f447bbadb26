# Protocol 3 of domain generalisation (docs/protocol.md), unseen target MSMT17. It trains on
# the training and test parts of Market-1501, CUHK-SYSU and CUHK03. The method
# and the number of steps are those of metabin_r50_dg.py.
#   tools/dist_train.sh configs/metabin_r50_dg_p3_msmt17.py 4 --amp
_base_ = ["metabin_r50_dg.py"]

model = dict(head=dict(num_classes=14902))
train_dataloader = dict(
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.Market1501", combine_all=True),
            dict(type="mmreid_ext.CUHKSYSU"),
            dict(type="mmreid_ext.CUHK03", boxes="labelled", combine_all=True),
        ]
    )
)
# three domains: a multiple of 3 x 4 images
train_cfg = dict(meta_dataloader=dict(batch_size=84))

val_dataloader = dict(dataset=dict(sources=[dict(type="mmreid_ext.MSMT17")]))
test_dataloader = val_dataloader
