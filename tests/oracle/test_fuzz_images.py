"""Mutated files of every format: refused in one sentence or read as another decoder reads them; no hang, no 1 GB.

pytest -m slow tests/oracle/test_fuzz_images.py     # half an hour; VAELAB_FUZZ=100 for fewer than 1,000 files
"""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from fuzz_worker import Worker

imagecodecs = pytest.importorskip("imagecodecs")
MUTATIONS = int(os.environ.get("VAELAB_FUZZ", "1000"))
LIES = (0, 1, 2, 7, 0x7F, 0xFF, 0x100, 0x7FFF, 0xFFFF, 100_000, 0x7FFFFFFF, 0xFFFFFFFF)
OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels '
    'ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="17" SizeY="19" SizeC="1" SizeZ="1" SizeT="5"><TiffData/>'
    "</Pixels></Image></OME>"
)


def originals() -> dict[str, bytes]:
    """Small whole files of every format and of many kinds."""
    numbers, files = np.random.default_rng(0), {}
    grey = numbers.integers(0, 256, (19, 17)).astype(np.uint8)
    colour = numbers.integers(0, 256, (19, 17, 3)).astype(np.uint8)
    clear, deep = np.dstack([colour, grey]), grey.astype(np.uint16) * 257
    grey16 = numbers.integers(0, 4096, (5, 19, 17)).astype(np.uint16)

    def pillow(name: str, image: object, kind: str, **how: object) -> None:
        packed = io.BytesIO()
        (image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))).save(packed, kind, **how)
        files[name] = packed.getvalue()

    def tiff(name: str, pixels: np.ndarray, **how: object) -> None:
        packed = io.BytesIO()
        tifffile.imwrite(packed, pixels, **{"metadata": None, **how})
        files[name] = packed.getvalue()

    palette = Image.fromarray(colour).quantize(16)
    for ending, kind in (
        ("png", "PNG"),
        ("bmp", "BMP"),
        ("pcx", "PCX"),
        ("tga", "TGA"),
        ("sgi", "SGI"),
        ("jpg", "JPEG"),
    ):
        pillow(f"grey.{ending}", grey, kind)
        pillow(f"colour.{ending}", colour, kind)
    for ending, kind in (("png", "PNG"), ("gif", "GIF"), ("bmp", "BMP"), ("pcx", "PCX")):
        pillow(f"palette.{ending}", palette, kind)
    pillow("clear.png", clear, "PNG")
    pillow("key.png", palette, "PNG", transparency=3)
    pillow("deep.png", deep, "PNG")
    pillow("bits.png", grey > 99, "PNG")
    pillow("film.png", colour, "PNG", save_all=True, append_images=[Image.fromarray(255 - colour)])
    files["deep_colour.png"] = imagecodecs.png_encode(clear.astype(np.uint16) * 257)
    pillow("film.gif", grey, "GIF", save_all=True, append_images=[Image.fromarray(255 - grey)])
    pillow("whole.webp", colour, "WEBP", lossless=True)
    pillow("lossy.webp", clear, "WEBP")
    pillow("rle.tga", grey // 64, "TGA", compression="tga_rle")
    pillow("inks.jpg", Image.fromarray(clear, "CMYK"), "JPEG")
    pillow("a.pgm", grey, "PPM")
    pillow("a.ppm", colour, "PPM")
    files["plain.pgm"] = b"P2\n17 19\n255\n" + b" ".join(b"%d" % v for v in grey.ravel())
    files["counts.pgm"] = b"P5\n17 19\n4095\n" + (deep >> 4).astype(">u2").tobytes()
    for name, pixels in (("a.jp2", grey), ("deep.jp2", deep), ("colour.jp2", colour)):
        files[name] = imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat="jp2")
    for packing in ("zlib", "lzw", "packbits", "lzma", "zstd", "jpeg", "jpeg2000", "png", "webp"):
        tiff(f"{packing}.tif", colour, compression=packing, photometric="rgb")
    tiff("plain.tif", grey16[0], photometric="minisblack")
    tiff("stack.tif", grey16, photometric="minisblack")
    tiff("ome.tif", grey16, photometric="minisblack", description=OME)
    tiff("imagej.tif", grey16, imagej=True, metadata={"axes": "TYX"})
    tiff("shaped.tif", grey16, photometric="minisblack", metadata={"axes": "ZYX"})
    tiff("tiled.tif", deep, tile=(16, 16), compression="zlib", predictor=True)
    tiff("planar.tif", np.moveaxis(colour, -1, 0), photometric="rgb", planarconfig="separate", rowsperstrip=3)
    tiff("white.tif", grey, photometric="miniswhite", bigtiff=True)
    tiff("bits.tif", grey > 99, byteorder=">")
    tiff("float.tif", grey.astype(np.float32), compression="lzw", predictor=True)
    pillow("fax.tif", grey > 99, "TIFF", compression="group4")
    for name, save in (("a.npy", np.save), ("a.npz", np.savez_compressed)):
        packed = io.BytesIO()
        save(packed, grey16)
        files[name] = packed.getvalue()
    return files


def mutated(data: bytes, name: str, numbers: np.random.Generator, donor: bytes) -> bytes:
    """The file with one to four things changed; a PNG's checksums hold again in most cases."""
    body = bytearray(data)
    for _ in range(numbers.integers(1, 5)):
        start = int(numbers.integers(0, max(1, min(len(body), 400 if numbers.random() < 0.7 else len(body)))))
        kind = numbers.integers(0, 7)
        if kind == 0:
            body[start : start + 1] = bytes([numbers.integers(0, 256)])
        elif kind == 1:
            body[start : start + 1] = bytes([(body[start] if body else 0) ^ 1 << int(numbers.integers(0, 8))])
        elif kind == 2:
            lie, order = int(numbers.choice(LIES)), "<>"[numbers.integers(0, 2)]
            body[start : start + 4] = struct.pack(f"{order}I", lie)
        elif kind == 3:
            body[start : start + 2] = struct.pack(
                "<H" if numbers.random() < 0.5 else ">H", int(numbers.choice(LIES)) & 0xFFFF
            )
        elif kind == 4:
            del body[start : start + int(numbers.integers(1, 40))]
        elif kind == 5:
            del body[-int(numbers.integers(1, max(2, len(body) // 2))) :]
        else:
            length = int(numbers.integers(1, 60))
            place = int(numbers.integers(0, len(donor)))
            body[start : start + length] = donor[place : place + length]
    return checked(bytes(body)) if name.endswith(".png") and numbers.random() < 0.8 else bytes(body)


def checked(data: bytes) -> bytes:
    """A PNG with the checksums that its chunks should have, as far as they can be told apart."""
    out, place = bytearray(data[:8]), 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        body = data[place + 4 : place + 8 + length]
        if place + 12 + length > len(data):
            break
        out += data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + length
    return bytes(out + data[place:])


@pytest.mark.slow
def test_mutated_files_are_refused_or_read_as_another_decoder_reads_them(tmp_path, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "cache"))
    whole = originals()
    names = sorted(whole)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "warm.png")
    worker, faults, counts = (
        Worker(tmp_path / "errors", tmp_path / "warm.png"),
        [],
        {"read": 0, "refused": 0, "alone": 0},
    )
    seed = int(os.environ.get("VAELAB_FUZZ_SEED", "0"))
    for number in range(-len(names), MUTATIONS):
        numbers = np.random.default_rng([seed, max(number, 0)])
        name = names[number % len(names)]
        donor = whole[names[int(numbers.integers(0, len(names)))]]
        path = tmp_path / f"{max(number, 0)}_{name}"
        path.write_bytes(whole[name] if number < 0 else mutated(whole[name], name, numbers, donor))
        verdict = worker.judge(path)
        told = {"file": path.name, **verdict}
        if "traceback" in verdict or verdict.get("wrong") or verdict.get("megabytes", 0) > worker.most_megabytes:
            faults.append(told)
        if "\n" in str(verdict.get("refused", "")):
            faults.append(told)
        if number < 0 and "refused" in verdict and not name.startswith("film"):
            faults.append(told)
        for kind in counts:
            counts[kind] += kind in verdict
        if "alone" in verdict:
            print("read by vaelab alone:", told)
        if "alone" not in verdict and not any(fault["file"] == path.name for fault in faults):
            path.unlink()
    worker.stop()
    print(counts)
    assert not faults
    assert (tmp_path / "errors").read_text() == ""
    assert counts["read"] > len(names) - 3
    assert counts["refused"] > MUTATIONS / 4
