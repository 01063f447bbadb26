"""The strong baseline in small: float64 images, Adam, centre loss, epochs of four iterations."""

from mmreid_ext.compat import enable_safe_checkpoints

from .tiny_reid import tiny_model, tiny_runner

EPOCHS, BATCH = 4, 16

CENTER = dict(
    ce=dict(type="mmreid_ext.LabelSmoothingLoss"),
    triplet=dict(type="mmreid_ext.BatchHardTripletLoss"),
    center=dict(type="mmreid_ext.CenterLoss", num_classes=16, feat_dim=16, loss_weight=0.0005),
)


def make_runner(
    folder,
    resume=False,
    num_classes=16,
    batch_size=BATCH,
    max_epochs=EPOCHS,
    num_workers=0,
    **changes,
):
    """A Runner of the strong baseline with centre loss on :class:`TinyReID`, by epochs."""
    enable_safe_checkpoints()
    model = tiny_model("mmreid_ext.SyncBN", num_classes, losses=CENTER)
    model["head"]["train_losses"] = None
    loader = dict(
        batch_size=batch_size,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        drop_last=True,
        collate_fn=dict(type="default_collate"),
        sampler=dict(
            type="mmreid_ext.PKSampler",
            batch_size=batch_size,
            num_instances=2,
            strategy="exhaustive_drop",
        ),
        dataset=dict(type="mmreid_ext.TinyReID"),
    )
    settings = dict(
        model=model,
        train_dataloader=loader,
        train_cfg=dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=max_epochs),
        optim_wrapper=dict(
            optimizer=dict(type="Adam", lr=1e-3, weight_decay=5e-4),
            constructor="mmreid_ext.ReIDOptimWrapperConstructor",
        ),
        param_scheduler=[dict(type="LinearLR", by_epoch=True, start_factor=0.1, begin=0, end=3)],
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", by_epoch=True, interval=1)),
        resume=resume,
    )
    return tiny_runner(folder, **(settings | changes))
