#!/usr/bin/env python3
"""Checks that Pillow reads our JPEG as the picture it was made from.

usage: check_jpeg.py Tests/Fixtures/jpeg.png Tests/Fixtures/jpeg.jpg

The first file is the picture, the second what JPEGFile.encode makes of it; tests compare its bytes. Needs numpy and
Pillow. With --make OUT.png it writes the picture: odd edges, a gradient, noise, hard edges and all colours.
"""
import sys

import numpy as np
from PIL import Image


def make(path):
    height, width = 37, 43
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x * 255 // (width - 1), y * 255 // (height - 1), 255 - x * 5], -1)
    picture[4:12, 4:20] = [255, 0, 0]
    picture[20:33, 10:12] = [0, 0, 255]
    picture[24:37, 24:43] = np.random.default_rng(1).integers(0, 256, (13, 19, 3))
    Image.fromarray(picture.astype(np.uint8)).save(path)


def main():
    if sys.argv[1] == "--make":
        return make(sys.argv[2])
    picture, read = (np.asarray(Image.open(path).convert("RGB"), float) for path in sys.argv[1:3])
    assert picture.shape == read.shape, (picture.shape, read.shape)
    error = np.abs(picture - read)
    print(f"{error.mean():.2f} of 255 on average, {error.max():.0f} at most")
    # A quality of 95 with colours at full resolution.
    assert error.mean() < 3, "not the picture"


if __name__ == "__main__":
    main()
