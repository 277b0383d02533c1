"""tests/fixtures/gguf/blocks: random blocks of GGUF's formats that the library only reads, and the numbers they stand
for, by the formats' descriptions; shares no code with the library."""

import struct

import numpy

BLOCKS = 6


def half(data, at):
    return numpy.float32(struct.unpack_from("<e", data, at)[0])


def nibbles(data):
    return [byte & 15 for byte in data] + [byte >> 4 for byte in data]


def small(data, name):
    """32 numbers: a scale, perhaps a least one, perhaps a fifth bit of each, four bits of each."""
    has_least, has_high = name.endswith("1"), name.startswith("Q5")
    at = 4 if has_least else 2
    values = nibbles(data[at + 4 * has_high:])
    if has_high:
        high = int.from_bytes(data[at:at + 4], "little")
        values = [value + 16 * (high >> i & 1) for i, value in enumerate(values)]
    if has_least:
        return [half(data, 0) * numpy.float32(v) + half(data, 2) for v in values]
    return [half(data, 0) * numpy.float32(v - 16) for v in values]


def pieces(data, bits):
    """32 bytes hold 32 · 8 / bits numbers: first the lowest bits of all bytes, then the next."""
    mask = (1 << bits) - 1
    return [byte >> shift & mask for begin in range(0, len(data), 32) for shift in range(0, 8, bits)
            for byte in data[begin:begin + 32]]


def q2(data):
    scales, values = data[:16], pieces(data[16:80], 2)
    d, least = half(data, 80), half(data, 82)
    return [d * numpy.float32((scales[i // 16] & 15) * v) - least * numpy.float32(scales[i // 16] >> 4)
            for i, v in enumerate(values)]


def q3(data):
    high, values, packed, d = data[:32], pieces(data[32:96], 2), data[96:108], half(data, 108)
    scales = [s & 15 for s in packed[:8]] + [s >> 4 for s in packed[:8]]
    upper = [packed[8 + i % 4] >> 2 * (i // 4) & 3 for i in range(16)]
    scales = [low + 16 * up - 32 for low, up in zip(scales, upper)]
    return [d * numpy.float32(scales[i // 16] * (v + 4 * (high[i % 32] >> i // 32 & 1) - 4))
            for i, v in enumerate(values)]


def six_bits(packed):
    """Eight scales and eight least ones in 12 bytes."""
    scales = [s & 63 for s in packed[:4]] + [packed[8 + i] & 15 | packed[i] >> 6 << 4 for i in range(4)]
    least = [s & 63 for s in packed[4:8]] + [packed[8 + i] >> 4 | packed[4 + i] >> 6 << 4 for i in range(4)]
    return scales, least


def q4_or_q5(data, has_high):
    scales, least = six_bits(data[4:16])
    values = pieces(data[16 + 32 * has_high:], 4)
    if has_high:
        values = [v + 16 * (data[16 + i % 32] >> i // 32 & 1) for i, v in enumerate(values)]
    return [half(data, 0) * numpy.float32(scales[i // 32] * v) - half(data, 2) * numpy.float32(least[i // 32])
            for i, v in enumerate(values)]


def q6(data):
    scales, d = struct.unpack_from("<16b", data, 192), half(data, 208)
    upper = pieces(data[128:192], 2)
    lower = [byte >> shift & 15 for begin in (0, 64) for shift in (0, 4) for byte in data[begin:begin + 64]]
    return [d * numpy.float32(scales[i // 16] * (low + 16 * up - 32)) for i, (low, up) in enumerate(zip(lower, upper))]


# Bytes of a block, where its f16 numbers are, and what reads it.
FORMATS = {"Q4_1": (20, (0, 2), lambda b: small(b, "Q4_1")), "Q5_0": (22, (0,), lambda b: small(b, "Q5_0")),
           "Q5_1": (24, (0, 2), lambda b: small(b, "Q5_1")), "Q2_K": (84, (80, 82), q2), "Q3_K": (110, (108,), q3),
           "Q4_K": (144, (0, 2), lambda b: q4_or_q5(b, False)), "Q5_K": (176, (0, 2), lambda b: q4_or_q5(b, True)),
           "Q6_K": (210, (208,), q6)}


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(11)
    for name, (size, halves, read) in FORMATS.items():
        data, values = bytearray(), []
        for _ in range(BLOCKS):
            block = bytearray(random.integers(0, 256, size, dtype=numpy.uint8).tobytes())
            for at in halves:
                struct.pack_into("<e", block, at, random.normal())
            data += block
            values += read(bytes(block))
        (folder / f"{name}.bin").write_bytes(bytes(data))
        numpy.save(folder / f"{name}.npy", numpy.array(values, "<f4"))
