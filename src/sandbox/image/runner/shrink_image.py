"""
A program: prints the image at argv[1] as JSON, `media_type` and base64 `data`, made to fit the limits in argv[2:]
(largest file to open, most bytes to print before base64, longest side in pixels). Fails with a reason on stderr.
"""

import base64
import io
import json
import sys
import warnings

from PIL import Image, ImageOps

_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


def main(path: str, file_bytes_max: int, bytes_max: int, side_max: int) -> None:
    with open(path, "rb") as file:
        content = file.read(file_bytes_max + 1)
    if len(content) > file_bytes_max:
        sys.exit(f"the file is larger than {file_bytes_max} bytes")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(content), formats=list(_MEDIA_TYPES)) as image:
            media_type = _MEDIA_TYPES[image.format or ""]
            if len(content) <= bytes_max and max(image.size) <= side_max:
                image.load()  # a broken image is found out here, not by the model
            else:
                media_type, content = _shrink(image, bytes_max, side_max)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        sys.exit(str(error))
    json.dump({"media_type": media_type, "data": base64.b64encode(content).decode()}, sys.stdout)


def _shrink(image: Image.Image, bytes_max: int, side_max: int) -> tuple[str, bytes]:
    upright = ImageOps.exif_transpose(image)
    transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    picture = upright.convert("RGBA" if transparent else "RGB")
    picture.thumbnail((side_max, side_max))
    if image.format != "JPEG":
        content = _encoded(picture, "PNG", optimize=True)
        if len(content) <= bytes_max:
            return "image/png", content
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if transparent else None)
    quality = 90
    while len(content := _encoded(flat, "JPEG", quality=quality)) > bytes_max:
        quality -= 15  # 2000 by 2000 pixels of noise fit at 75
    return "image/jpeg", content


def _encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


main(sys.argv[1], *map(int, sys.argv[2:5]))
