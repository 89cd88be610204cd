#!/usr/bin/env python3
"""Writes emoji scenes drawn by Pillow: tests compare our own drawing with them.

usage: make_scene_reference.py TEACHER_FOLDER OUT.safetensors

TEACHER_FOLDER holds sprites.json and sprites.png; drawing is as SCENES.md there says. The file has `pictures`
[scenes, 3, 32, 32] in model space and `placements` [sprites, 5]: scene, place in sprites.json, edge, centre x and y.
Needs numpy, Pillow and safetensors.
"""
import json
import pathlib
import sys

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

EDGE = 32
# scene, sprite, edge, centre x, centre y: alone, in pairs, at all four places, over every border, and overlapping
PLACEMENTS = [
    (0, 0, 26, 16, 16),
    (1, 91, 26, 14, 18),
    (2, 12, 15, 7, 10), (2, 40, 15, 25, 22),
    (3, 70, 15, 22, 8), (3, 75, 15, 10, 24),
    (4, 33, 15, 8, 8), (4, 33, 15, 24, 9), (4, 33, 15, 7, 24), (4, 33, 15, 25, 25),
    (5, 5, 15, 14, 16), (5, 6, 15, 18, 17),
]


def sprite(sheet, cell, columns, index, edge):
    x, y = index % columns * cell, index // columns * cell
    pixels = np.asarray(sheet.crop((x, y, x + cell, y + cell)), np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    planes = [Image.fromarray(pixels[..., channel]).resize((edge, edge), Image.LANCZOS) for channel in range(4)]
    resized = np.clip(np.stack([np.asarray(plane) for plane in planes], -1), 0, 1)
    resized[..., :3] = np.minimum(resized[..., :3], resized[..., 3:])
    return resized


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    catalog = json.loads((folder / "sprites.json").read_text())
    sheet = Image.open(folder / "sprites.png").convert("RGBA")
    pictures = np.ones((PLACEMENTS[-1][0] + 1, EDGE, EDGE, 3), np.float32)
    for scene, number, edge, x, y in PLACEMENTS:
        cell = catalog["sprites"][number]["cell"]
        image = sprite(sheet, catalog["cell"], catalog["columns"], cell, edge)
        left, top = x - edge // 2, y - edge // 2
        columns = slice(max(0, left), min(EDGE, left + edge))
        rows = slice(max(0, top), min(EDGE, top + edge))
        part = image[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        pictures[scene, rows, columns] *= 1 - part[..., 3:]
        pictures[scene, rows, columns] += part[..., :3]
    tensors = {
        "pictures": np.ascontiguousarray(2 * pictures.transpose(0, 3, 1, 2) - 1),
        "placements": np.asarray(PLACEMENTS, np.float32),
    }
    save_file(tensors, out)


if __name__ == "__main__":
    main()
