# strong_baseline_r50_softmax_triplet.py on VehicleID, at 256 x 256.
#   tools/dist_train.sh configs/strong_baseline_r50_vehicleid.py 4
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/vehicleid.py",
    "_base_/schedules/strong_baseline.py",
    "_base_/epoch_runtime.py",
]

model = dict(head=dict(num_classes=13164))
