# Embeddings for tracking, first stage: ResNet50-vd on 128 x 128 crops, ArcMargin over the training
# identities.
#   tools/dist_train.sh configs/arcmargin_r50vd_market.py 4
_base_ = [
    "_base_/models/resnet50vd_arcmargin.py",
    "_base_/datasets/market1501_square.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]
