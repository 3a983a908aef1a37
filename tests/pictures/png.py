"""Makes a browser's PNG small: its 256 most frequent colours, packed as tightly as zlib can."""

from __future__ import annotations

import base64
import struct
import zlib

from selenium.webdriver.remote.webdriver import WebDriver

# The page decodes the picture; every colour that is rarer than the 256th becomes the nearest of those.
COLOURS = """
const [text, done] = arguments;
(async () => {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  const pixels = new Uint32Array(data.buffer); // opaque, so that equal pixels are equal colours
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const order = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([pixel]) => pixel);
  const palette = order.slice(0, 256).map(parts);
  const places = new Map(order.map((pixel, place) => [pixel, place < 256 ? place : nearest(parts(pixel), palette)]));
  const row = (at) => pixels.subarray(at * picture.width, (at + 1) * picture.width).map((pixel) => places.get(pixel));
  const rows = Array.from({ length: picture.height }, (_, at) => btoa(String.fromCharCode(...row(at))));
  return { width: picture.width, height: picture.height, palette: palette.flat(), rows };
})().then(done, (error) => done(String(error)));
function nearest(colour, palette) {
  const far = palette.map((one) => one.reduce((sum, part, at) => sum + (part - colour[at]) ** 2, 0));
  return far.indexOf(Math.min(...far));
}
"""


def small(png: bytes, driver: WebDriver) -> bytes:
    """The same picture with a palette. An opaque PNG of at most 256 colours loses nothing."""
    found = driver.execute_async_script(COLOURS, base64.b64encode(png).decode())
    assert isinstance(found, dict), found
    head = struct.pack(">IIBBBBB", found["width"], found["height"], 8, 3, 0, 0, 0)
    rows = b"".join(b"\0" + base64.b64decode(row) for row in found["rows"])
    parts = [(b"IHDR", head), (b"PLTE", bytes(found["palette"])), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, content) for name, content in parts)


def _part(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
