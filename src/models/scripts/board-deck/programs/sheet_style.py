"""Formats and chart dress of the workbook, in one place so that all sheets look like one."""

FONT = "Arial"


class Style:
    def __init__(self, book, colours, analysis):
        self.book, self.colours = book, colours
        measure = analysis["measure"]
        self.value_format, self.exact_format = measure["format"], measure["exact_format"]
        self._cache = {}

    def get(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self._cache:
            base = {"font_name": FONT, "font_size": 10, "font_color": self.colour("ink"), "valign": "vcenter"}
            self._cache[key] = self.book.add_format(base | properties)
        return self._cache[key]

    def colour(self, name):
        return f"#{self.colours[name]}"

    def title(self):
        return self.get(font_size=18, bold=True, font_color=self.colour("deep"))

    def subtitle(self):
        return self.get(font_color=self.colour("muted"))

    def header(self, **more):
        return self.get(bold=True, font_color="#FFFFFF", bg_color=self.colour("deep"), text_wrap=True, **more)

    def cell(self, number_format="", **more):
        lined = {"bottom": 1, "bottom_color": self.colour("line")}
        return self.get(**lined, **({"num_format": number_format} if number_format else {}), **more)

    def total(self, number_format="", **more):
        edge = {"top": 1, "top_color": self.colour("deep"), "bold": True, "bg_color": self.colour("tint")}
        return self.get(**edge, **({"num_format": number_format} if number_format else {}), **more)

    def wrapped(self, **more):
        return self.cell(text_wrap=True, **({"valign": "top"} | more))

    def dress(self, chart, title, category_title, value_title, value_format, bars=False):
        """In a bar chart the categories stand on the vertical axis, the first one on top."""
        small = {"name": FONT, "size": 9, "color": self.colour("muted")}
        axis_name = {"name": FONT, "size": 9, "bold": False, "color": self.colour("muted")}
        line = {"color": self.colour("line")}
        chart.set_title({"name": title, "overlay": False, "name_font": {"name": FONT, "size": 12, "bold": True, "color": self.colour("ink")}})
        category = {"name": category_title, "name_font": axis_name, "num_font": small, "line": line, "major_tick_mark": "none"}
        category["major_gridlines"] = {"visible": False}
        value = {
            "name": value_title,
            "name_font": axis_name,
            "num_font": small,
            "num_format": value_format,
            "line": {"none": True},
            "major_gridlines": {"visible": True, "line": {"color": self.colour("line"), "width": 0.5}},
            "major_tick_mark": "none",
        }
        chart.set_x_axis(value | {"label_position": "high"} if bars else category)
        chart.set_y_axis(category | {"reverse": True} if bars else value)
        chart.set_legend({"none": True})
        chart.set_chartarea({"border": {"none": True}})


def mark_falls(sheet, style, first_row, first_column, last_row, last_column):
    """Negative values in the colour of a fall."""
    falling = style.book.add_format({"font_color": style.colour("down")})
    rule = {"type": "cell", "criteria": "<", "value": 0, "format": falling}
    sheet.conditional_format(first_row, first_column, last_row, last_column, rule)


def page(sheet, landscape=True):
    """One page wide in print, with the page number below."""
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&L&8&A&R&8&P / &N")
    sheet.hide_gridlines(2)
