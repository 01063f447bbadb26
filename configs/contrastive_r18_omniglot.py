# xbm_r18_omniglot.py without the memory.
_base_ = ["xbm_r18_omniglot.py"]

model = dict(
    head=dict(
        losses=dict(_delete_=True, contrastive=dict(type="mmreid_ext.ContrastiveLoss", margin=0.5))
    )
)
