# Protocol 2 of domain generalisation (docs/protocol.md), unseen target CUHK03. It trains on
# the training parts of Market-1501, MSMT17 and CUHK-SYSU. The method
# and the number of steps are those of metabin_r50_dg.py.
#   tools/dist_train.sh configs/metabin_r50_dg_p2_cuhk03.py 4 --amp
_base_ = ["metabin_r50_dg.py"]

model = dict(head=dict(num_classes=13726))
train_dataloader = dict(
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.Market1501"),
            dict(type="mmreid_ext.MSMT17", with_val=False),
            dict(type="mmreid_ext.CUHKSYSU"),
        ]
    )
)
# three domains: a multiple of 3 x 4 images
train_cfg = dict(meta_dataloader=dict(batch_size=84))

val_dataloader = dict(dataset=dict(sources=[dict(type="mmreid_ext.CUHK03", boxes="labelled")]))
test_dataloader = val_dataloader
