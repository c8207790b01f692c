"""Spoils finished files: one formula of the workbook is changed and one text of the deck made far too long."""

import re
import sys
import zipfile


def rewrite(path, name, change):
    with zipfile.ZipFile(path) as source:
        parts = {part: source.read(part) for part in source.namelist()}
    spoilt = change(parts[name].decode())
    assert spoilt.encode() != parts[name], name
    parts[name] = spoilt.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part, data in parts.items():
            target.writestr(part, data)


rewrite(sys.argv[1], "xl/worksheets/sheet1.xml", lambda xml: re.sub(r"<f>(COUNTIFS\([^<]*\))</f>", r"<f>\1+1</f>", xml, count=1))
rewrite(sys.argv[2], "ppt/slides/slide3.xml", lambda xml: re.sub(r"<a:t>([^<]{30,})</a:t>", r"<a:t>\1" + " overlong" * 80 + "</a:t>", xml, count=1))
