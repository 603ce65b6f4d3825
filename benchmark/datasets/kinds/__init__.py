"""Each kind of data set: arrays, image folders, ImageNet16-120, synthetic images."""
