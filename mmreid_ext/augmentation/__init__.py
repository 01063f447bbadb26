"""Random changes of training images: what is drawn, and how it is applied.

Every :class:`~.augment.Augment` draws for any number of images at once, and applies its draws in
two ways: by OpenCV to one image of the host, by PyTorch to a batch on a device. The transforms of
data sets and the data preprocessor of the model both use it, so both make the same images.
"""
