# market1501.py, tested twice: one picture per query, and all hand-drawn boxes (folder gt_bbox) of
# the query's identity and camera averaged, the multi-query of Zheng et al. (ICCV 2015).
_base_ = ["market1501.py"]

val_dataloader = dict(
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.Market1501"),
            dict(type="mmreid_ext.Market1501", multi_query=True),
        ],
    ),
)
test_dataloader = val_dataloader
