# How test sets are read and evaluated, one after the other. A data set's file says which they are.
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="mmreid_ext.BenchmarkSuite"),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
