"""safetensors files in numpy: u64 length of the header, the header in JSON, then the tensors' bytes.

Written for the oracle only, so that what checks the library shares no code with it. numpy has no bfloat16:
such tensors are read as float32, exactly, and written from float32, rounded to nearest, ties to even.
"""

import json
from pathlib import Path

import numpy

DTYPES = {
    "F64": numpy.dtype("<f8"), "F32": numpy.dtype("<f4"), "F16": numpy.dtype("<f2"),
    "BF16": numpy.dtype("<u2"), "I64": numpy.dtype("<i8"), "I32": numpy.dtype("<i4"),
    "U8": numpy.dtype("u1"), "BOOL": numpy.dtype("?"),
}


def bf16_from_f32(values):
    """The upper halves of float32 values, rounded to nearest, ties to even. No NaN is expected."""
    bits = numpy.ascontiguousarray(values, dtype="<f4").view("<u4").astype(numpy.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def f32_from_bf16(halves):
    return (halves.astype("<u4") << 16).view("<f4")


def encode(values, dtype):
    """The array whose bytes stand in the file for `values` stored as `dtype`."""
    values = numpy.asarray(values)
    if dtype == "BF16":
        return bf16_from_f32(values).reshape(values.shape)
    return numpy.asarray(values, dtype=DTYPES[dtype], order="C")


def write(path, tensors, dtypes, odd=False):
    """Writes {name: array} with {name: "F32", ...}. As Hugging Face does, spaces after the header align the
    data to 8 bytes; `odd` places it at an odd address instead."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors.items():
        size = int(numpy.prod(numpy.shape(values), dtype=numpy.int64)) * DTYPES[dtypes[name]].itemsize
        header[name] = {"dtype": dtypes[name], "shape": list(numpy.shape(values)),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8 + (1 if odd else 0))
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name, values in tensors.items():
            file.write(encode(values, dtypes[name]).tobytes())


def read(path):
    """{name: array}; F16 stays float16, BF16 becomes float32."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    data = numpy.memmap(path, dtype=numpy.uint8, mode="r", offset=8 + length) if header else None
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end].tobytes(), DTYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = f32_from_bf16(values) if entry["dtype"] == "BF16" else values
    return tensors


def read_folder(folder):
    """The tensors of model.safetensors, or of the shards that model.safetensors.index.json names."""
    folder = Path(folder)
    if (folder / "model.safetensors").exists():
        return read(folder / "model.safetensors")
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    shards = {shard: read(folder / shard) for shard in sorted(set(index["weight_map"].values()))}
    return {name: shards[shard][name] for name, shard in index["weight_map"].items()}
