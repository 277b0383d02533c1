"""GGUF files, version 3, as llama.cpp's converter lays them out: written with the standard library alone, and
sharing no code with the library that reads them.

    u32 magic "GGUF", u32 version, u64 tensors, u64 keys
    keys      string name, u32 type, value
    tensors   string name, u32 rank, u64 dimensions (innermost first), u32 type, u64 offset
    data      each tensor at a multiple of the alignment, zeros between
"""

import struct

ALIGNMENT = 32
TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8, "BF16": 30}
FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "BF16": 32}  # general.file_type: "mostly" this type
NORMAL, CONTROL = 1, 3  # tokenizer.ggml.token_type
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


def string(text):
    data = text.encode("utf-8") if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


SCALARS = {UINT32: lambda v: struct.pack("<I", v), INT32: lambda v: struct.pack("<i", v),
           FLOAT32: lambda v: struct.pack("<f", v), BOOL: lambda v: struct.pack("<?", v), STRING: string}


def key_value(key, kind, value):
    """`kind` is a scalar type, or (ARRAY, element type)."""
    if isinstance(kind, tuple):
        head = struct.pack("<IIQ", ARRAY, kind[1], len(value))
        return string(key) + head + b"".join(SCALARS[kind[1]](element) for element in value)
    return string(key) + struct.pack("<I", kind) + SCALARS[kind](value)


def half(value):
    return struct.pack("<e", value)


def bf16(value):
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return struct.pack("<H", (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)


def q8_0(block):
    scale = max(abs(x) for x in block) / 127
    inverse = 1 / scale if scale else 0.0
    # To nearest, ties away from zero, as roundf does.
    quants = [int(abs(x * inverse) + 0.5) * (1 if x >= 0 else -1) for x in block]
    return half(scale) + struct.pack("<32b", *quants)


def q4_0(block):
    most = max(block, key=abs)
    scale = most / -8
    inverse = 1 / scale if scale else 0.0
    quants = [min(15, int(x * inverse + 8.5)) for x in block]
    return half(scale) + bytes(quants[i] | quants[i + 16] << 4 for i in range(16))


def encode(values, kind):
    """The bytes of a flat list of numbers; of a block type its length is a multiple of 32."""
    if kind == "F32":
        return struct.pack(f"<{len(values)}f", *values)
    if kind == "F16":
        return struct.pack(f"<{len(values)}e", *values)
    if kind == "BF16":
        return b"".join(map(bf16, values))
    pack = {"Q8_0": q8_0, "Q4_0": q4_0}[kind]
    return b"".join(pack(values[i:i + 32]) for i in range(0, len(values), 32))


def decode(data, kind):
    """The numbers that the bytes stand for."""
    if kind == "F32":
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    if kind == "F16":
        return list(struct.unpack(f"<{len(data) // 2}e", data))
    if kind == "BF16":
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(0, len(data), 2)]
    values = []
    for begin in range(0, len(data), {"Q8_0": 34, "Q4_0": 18}[kind]):
        scale, = struct.unpack_from("<e", data, begin)
        if kind == "Q8_0":
            values += [scale * q for q in struct.unpack_from("<32b", data, begin + 2)]
        else:
            quants = data[begin + 2:begin + 18]
            values += [scale * ((q & 15) - 8) for q in quants] + [scale * ((q >> 4) - 8) for q in quants]
    return values


def padding(size):
    return b"\0" * (-size % ALIGNMENT)


def write(path, keys, tensors):
    """keys: [(name, kind, value)]; tensors: [(name, shape outermost first, type name, bytes)]."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(key_value(*entry) for entry in keys)
    offset = 0
    for name, shape, kind, data in tensors:
        head += string(name) + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", extent) for extent in reversed(shape))
        head += struct.pack("<IQ", TYPES[kind], offset)
        offset += len(data) + len(padding(len(data)))
    with open(path, "wb") as file:
        file.write(head + padding(len(head)))
        for _, _, _, data in tensors:
            file.write(data + padding(len(data)))
