#!/usr/bin/env python3
"""Cuts the reference outputs down to the fixtures kept in the repository, each file under 1.4 MB.

usage: trim_reference.py REFERENCE_FOLDER [FIXTURES_FOLDER]

REFERENCE_FOLDER holds what make_reference.py and make_teacher_reference.py write. Tensors keep their names and
bytes; nothing is rounded. What goes:

- guided.safetensors: the boundary states of all but the first six prompts;
- transformer.safetensors: the gradients of four large matrices (those of their biases stay); the rest is spread over
  transformer.safetensors and transformer_gradients.safetensors.

Needs numpy only; safetensors files are read and written here by hand.
"""
import json
import pathlib
import struct
import sys

import numpy as np

SIZE_LIMIT = 1_400_000
BOUNDARY_PROMPTS = 6
DTYPES = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}

GRADIENT = "expected.grad.param."
BLOCK = GRADIENT + "transformer_blocks.0."
# Matrices that go to the second file. Matrices in neither list stay in the first one: the embedders, norm_out,
# proj_out and norm1.linear.
SECOND_FILE = [
    BLOCK + name + ".weight"
    for name in (
        "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0",
        "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj", "attn.to_add_out",
        "ff.net.0.proj",
    )
]
LEFT_OUT = [
    BLOCK + name + ".weight"
    for name in ("ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "norm1_context.linear")
]


def read(path):
    """The tensors of a safetensors file, by name, in the file's order."""
    content = path.read_bytes()
    (header_size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + header_size])
    header.pop("__metadata__", None)
    body = memoryview(content)[8 + header_size :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(body[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def write(path, tensors):
    """Writes tensors in the order of their names, the header padded with spaces to a multiple of eight bytes."""
    names_of = {dtype: name for name, dtype in DTYPES.items()}
    header, offset = {}, 0
    ordered = sorted(tensors.items())
    for name, values in ordered:
        header[name] = {
            "dtype": names_of[values.dtype],
            "shape": list(values.shape),
            "data_offsets": [offset, offset + values.nbytes],
        }
        offset += values.nbytes
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    size = 8 + len(encoded) + offset
    if size >= SIZE_LIMIT:
        sys.exit(f"{path}: {size} bytes, the limit is {SIZE_LIMIT}")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for _, values in ordered:
            file.write(np.ascontiguousarray(values).tobytes())
    print(f"{path}: {len(ordered)} tensors, {size} bytes")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1])
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures"
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else default
    target.mkdir(parents=True, exist_ok=True)

    transformer = read(source / "transformer.safetensors")
    write(target / "transformer_gradients.safetensors", {name: transformer.pop(name) for name in SECOND_FILE})
    for name in LEFT_OUT:
        del transformer[name]
    write(target / "transformer.safetensors", transformer)

    guided = read(source / "guided.safetensors")
    boundaries = "expected.rectified32.boundaries"
    guided[boundaries] = guided[boundaries][:, :BOUNDARY_PROMPTS]
    write(target / "guided.safetensors", guided)

    for name in ("text_encoder.safetensors", "text_encoder_2.safetensors"):
        write(target / name, read(source / name))


if __name__ == "__main__":
    main()
