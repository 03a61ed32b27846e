"""Pictures, good and malicious: what is refused before decoding, what is left after, and what is the same."""

from __future__ import annotations

import asyncio
import hashlib
import io
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, ImageFilter, PngImagePlugin

from personax.errors import FetchError, InputError
from personax.http._request import Page, Request
from personax.sources.pictures import (
    crop_and_resize,
    download_headshots,
    encode,
    face_finder,
    keep_pictures,
    near_duplicates,
    open_picture,
    perceptual_hash,
    read_folder,
    upright_rgb,
)
from personax.sources.pictures._store import MAX_DISTANCE, file_name, padded_square


def scene(seed: int = 0, size: tuple[int, int] = (120, 90), mode: str = "RGB") -> Image.Image:
    """Return smooth random colours: no two seeds look alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG that unpacks to many pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("run.sh", "echo")
    return stream.getvalue()


def many() -> bytes:
    return saved(scene(), "PNG", save_all=True, append_images=[scene(1)])


BAD = {
    "nothing": (b"", "empty"),
    "text": (b"<svg onload=alert(1)>", "by its first bytes"),
    "GIF called JPEG": (saved(scene(), "GIF"), "by its first bytes"),
    "TIFF": (saved(scene(), "TIFF"), "by its first bytes"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "by its first bytes"),
    "cut": (saved(scene())[:-400], "cut short, damaged"),
    "cut JPEG": (saved(scene(), "JPEG")[:-300], "cut short, damaged"),
    "only magic": (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "cut short, damaged"),
    "many pixels": (bomb(20_000, 20_000), "pixels, more than|more than 50,000,000"),
    "very many pixels": (bomb(2**31 - 1, 2**31 - 1), "more than 50,000,000"),
    "animated PNG": (many(), "several pictures"),
    "animated WebP": (saved(scene(), "WEBP", save_all=True, append_images=[scene(1)]), "several pictures"),
    "zip behind": (saved(scene()) + archive(), "zip archive"),
    "zip behind JPEG": (saved(scene(), "JPEG") + archive(), "zip archive"),
    "counter": (saved(Image.new("RGB", (1, 1))), "shows nobody"),
    "text bomb": (
        b"\x89PNG\r\n\x1a\n" + saved(scene())[8:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 2**27)), "damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name: str) -> None:
    data, why = BAD[name]
    with pytest.raises(InputError, match=why):
        open_picture(data)


def test_too_many_bytes_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.sources.pictures._decode.MAX_BYTES", 100)
    with pytest.raises(InputError, match="more than 100"):
        open_picture(saved(scene()))


def test_pixels_are_counted_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", never)
    with pytest.raises(InputError, match="pixels"):
        open_picture(bomb(9_000, 9_000))


@settings(max_examples=300)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff\xe0", saved(scene())[:40], b"RIFF\x40\0\0\0WEBPVP8 "])
)
def test_any_bytes_are_a_picture_or_a_named_error(data: bytes, start: bytes) -> None:
    with suppress(InputError):
        assert upright_rgb(open_picture(start + data)).mode == "RGB"


WHOLE = [saved(scene(), form) for form in ("PNG", "JPEG", "WEBP")]


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(8, 2000), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_pictures_are_pictures_or_a_named_error(whole: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(whole)
    for at, value in changes:
        data[at % len(data)] = value
    with suppress(InputError):
        assert upright_rgb(open_picture(bytes(data))).mode == "RGB"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_as_its_exif_says(orientation: int) -> None:
    undo = {
        2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE",
        8: "ROTATE_270",
    }  # fmt: skip
    upright = scene()
    stored = upright.transpose(Image.Transpose[undo[orientation]]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert upright_rgb(open_picture(saved(stored, exif=exif))).tobytes() == upright.tobytes()


def test_no_metadata_is_left() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(scene(), exif=exif, pnginfo=text, icc_profile=srgb) + b"SECRET"
    clean = upright_rgb(open_picture(data))
    assert clean.info == {}
    for form in ("png", "jpeg"):
        written = encode(clean, form)
        assert b"SECRET" not in written
        assert set(Image.open(io.BytesIO(written)).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_modes_become_rgb() -> None:
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert upright_rgb(open_picture(saved(clear))).getpixel((5, 5)) == (255, 255, 255)
    palette = Image.new("P", (40, 40), 0)
    assert upright_rgb(open_picture(saved(palette, transparency=0))).getpixel((5, 5)) == (255, 255, 255)
    cyan = Image.new("CMYK", (40, 40), (255, 0, 0, 0))
    red, green, blue = np.asarray(upright_rgb(open_picture(saved(cyan, "JPEG"))))[5, 5]
    assert red < 30 < 225 < min(green, blue)
    deep = Image.fromarray(np.full((40, 40), 128 * 257, dtype=np.uint16))
    assert upright_rgb(open_picture(saved(deep))).getpixel((5, 5)) == (128, 128, 128)
    assert upright_rgb(open_picture(saved(scene(mode="1")))).mode == "RGB"
    broken = saved(scene(), icc_profile=b"no profile")
    assert upright_rgb(open_picture(broken)).tobytes() == scene().tobytes()


def test_the_same_picture_gives_the_same_bytes() -> None:
    first, second = (encode(crop_and_resize(upright_rgb(open_picture(saved(scene()))), (64, 64))) for _ in "ab")
    assert first == second
    with pytest.raises(InputError, match="cannot be made"):
        crop_and_resize(scene(), (0, 64))


@given(st.integers(0, 10_000))
def test_a_copy_is_near_and_another_picture_is_far(seed: int) -> None:
    one = scene(seed, (200, 200))
    copy = Image.open(io.BytesIO(saved(one.resize((150, 150)), "JPEG", quality=85)))
    hashes = {"one": perceptual_hash(one), "copy": perceptual_hash(copy), "other": perceptual_hash(scene(seed + 1))}
    assert ("copy", "one") in [(a, b) for a, b, _ in near_duplicates(hashes)]
    assert all("other" not in pair for pair in near_duplicates(hashes))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=12), st.integers(0, 63), st.integers(0, 63))
def test_near_duplicates_are_those_of_a_plain_search(values: list[int], i: int, j: int) -> None:
    values = [*values, values[0] ^ (1 << i), values[0] ^ (1 << i) ^ (1 << j)]
    hashes = {f"{place:03}": f"{value:016x}" for place, value in enumerate(values)}
    plain = [
        (a, b, (int(x, 16) ^ int(y, 16)).bit_count())
        for a, x in hashes.items()
        for b, y in hashes.items()
        if a < b and (int(x, 16) ^ int(y, 16)).bit_count() <= MAX_DISTANCE
    ]
    assert list(near_duplicates(hashes)) == sorted(plain)


def test_pictures_are_kept_and_every_one_is_accounted_for(tmp_path: Path) -> None:
    given_pictures = [
        ("a", saved(scene(1))),
        ("b", saved(scene(1), "JPEG", quality=95)),
        ("c", b"no"),
        ("d", saved(scene(2))),
    ]
    (tmp_path / "c.png").write_bytes(b"of an earlier run")
    stored = keep_pictures(given_pictures, tmp_path, size=(64, 64), failed={"e": "404"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png", "d.png"]
    assert stored.pictures.select("id", "state").rows() == [
        ("a", "kept"), ("b", "kept"), ("c", "refused"), ("d", "kept"), ("e", "refused"),
    ]  # fmt: skip
    for name, digest in stored.pictures.filter(state="kept").select("id", "sha256").rows():
        assert hashlib.sha256((tmp_path / f"{name}.png").read_bytes()).hexdigest() == digest
    assert stored.duplicates.select("id_a", "id_b").rows() == [("a", "b")]
    assert [notice.count for notice in stored.notices()] == [2, 1]
    with Image.open(tmp_path / "a.png") as kept:
        assert kept.size == (64, 64)


@pytest.mark.parametrize(
    "person", ["../a", "/etc/a", "a\\b", "..", ".", "", "a\0", "C:a", "a\nb", "x" * 300, " a", "a/../b"]
)
def test_an_id_never_leads_out_of_the_folder(person: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file name"):
        keep_pictures([(person, saved(scene()))], tmp_path / "in")
    assert list(tmp_path.rglob("*.png")) == []


@given(st.text())
def test_a_file_name_stays_in_its_folder(person: str) -> None:
    try:
        name = file_name(person)
    except InputError:
        return
    assert (Path("in") / name).parent == Path("in")
    assert Path(name).name == f"{person}.png"


def test_two_ids_of_one_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one file"):
        keep_pictures([("ada", saved(scene())), ("Ada", saved(scene()))], tmp_path)


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.png").symlink_to(outside)
    keep_pictures([("a", saved(scene()))], inside)
    assert outside.read_bytes() == b"mine"


def test_a_folder_is_read_person_by_person(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"1")
    (tmp_path / "b.webp").write_bytes(b"2")
    assert list(read_folder(tmp_path, ["a", "b", "c"])) == [("a", b"1"), ("b", b"2")]


def test_headshots_come_through_the_fetcher() -> None:
    asked = []

    async def fetch(request: Request) -> Page:
        asked.append(request)
        if "missing" in request.url:
            raise FetchError("404")
        return Page(request.url, "2026-01-01T00:00:00Z", 200, "0" * 64, "image/png", saved(scene()))

    urls = {
        "a": "https://x.example/a.png",
        "b": "https://x.example/missing",
        "c": "file:///etc/passwd",
        "d": "http://x/",
    }
    found = asyncio.run(download_headshots(urls, fetch))
    assert set(found.pictures) == {"a"}
    assert found.origins["a"][0] == "https://x.example/a.png"
    assert set(found.failed) == {"b", "c", "d"}
    assert sorted(request.url for request in asked) == ["https://x.example/a.png", "https://x.example/missing"]
    assert all(kind.startswith("image/") for request in asked for kind in request.accepts)


@given(*[st.integers(0, 99)] * 4)
def test_a_face_is_cut_out_within_the_picture(x: int, y: int, width: int, height: int) -> None:
    box = padded_square((x, y, min(x + width + 1, 160), min(y + height + 1, 120)), (160, 120))
    assert 0 <= box[0] < box[2] <= 160
    assert 0 <= box[1] < box[3] <= 120
    assert box[2] - box[0] == box[3] - box[1]


def test_the_face_decides_the_cut(tmp_path: Path) -> None:
    image = Image.new("RGB", (200, 100), (0, 0, 255))
    image.paste((255, 0, 0), (150, 40, 170, 60))
    seen = keep_pictures([("a", saved(image))], tmp_path, size=(34, 34), find_face=lambda _: (150, 40, 170, 60))
    assert seen.pictures["face"].to_list() == [True]
    with Image.open(tmp_path / "a.png") as kept:
        reds = np.asarray(kept)[:, :, 0] > 128
    assert 0.2 < reds.mean() < 0.5
    none = keep_pictures([("a", saved(image))], tmp_path, find_face=lambda _: None)
    assert none.pictures["face"].to_list() == [False]


def test_a_detector_that_is_not_there_is_a_named_error(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="needs the extra pictures")
    with pytest.raises(InputError, match="there is no face model"):
        face_finder(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match="no YuNet face model"):
        face_finder(tmp_path / "bad.onnx")(scene())


def drawn_face(at: tuple[int, int], side: int, size: tuple[int, int]) -> Image.Image:
    """Return a grey drawing: hair, a bright oval, dark brows and eyes, a lit nose, a shaded mouth."""
    image = Image.new("L", size, 110)
    draw = ImageDraw.Draw(image)
    ovals = [(0.5, 0.45, 0.5, 0.62, 40), (0.5, 0.55, 0.42, 0.56, 200), (0.5, 0.84, 0.16, 0.045, 100)]
    for x in (0.31, 0.69):
        ovals += [(x, 0.36, 0.13, 0.035, 60), (x, 0.45, 0.11, 0.06, 90), (x, 0.45, 0.045, 0.045, 20)]
    ovals += [(0.5, 0.58, 0.06, 0.14, 225), (0.43, 0.7, 0.03, 0.02, 120), (0.57, 0.7, 0.03, 0.02, 120)]
    for x, y, across, down, shade in ovals:
        corners = [x - across, y - down, x + across, y + down]
        draw.ellipse([at[i % 2] + side * corner for i, corner in enumerate(corners)], fill=shade)
    return image.filter(ImageFilter.GaussianBlur(side / 60)).convert("RGB")


def test_the_bundled_detector() -> None:
    cv2 = pytest.importorskip("cv2", reason="needs the extra pictures")
    if not hasattr(cv2, "CascadeClassifier"):  # OpenCV 5
        with pytest.raises(InputError, match="brings no face detector"):
            face_finder()
        return
    find = face_finder()
    assert find(scene(size=(300, 300))) is None
    for at, side, size in (((120, 80), 200, (500, 400)), ((50, 60), 120, (300, 300)), ((600, 400), 500, (2000, 1400))):
        box = find(drawn_face(at, side, size))
        assert box is not None
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        assert abs(middle[0] - at[0] - side / 2) < 0.2 * side
        assert abs(middle[1] - at[1] - side / 2) < 0.3 * side
        assert 0.6 * side < box[2] - box[0] < 1.6 * side
