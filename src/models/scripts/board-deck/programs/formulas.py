"""Builds the formulas that add up the Data sheet, so that a corrected cell there changes every figure."""

from xlsxwriter.utility import xl_col_to_name

COUNTED = "Counted"


class DataRange:
    def __init__(self, columns, rows):
        self._letters = {name: xl_col_to_name(i) for i, name in enumerate(columns)}
        self._last = rows + 1

    def of(self, name):
        letter = self._letters[name]
        return f"Data!${letter}$2:${letter}${self._last}"

    def aggregate(self, measure, *criteria):
        """=SUMIFS, COUNTIFS or AVERAGEIFS, as the measure adds up; `criteria` come from `equal` and `between`."""
        counted = [f'{self.of(COUNTED)},"Yes"', *criteria]
        if measure["agg"] == "count":
            return f"=COUNTIFS({','.join(counted)})"
        if measure["agg"] == "mean":
            return self.average(measure["column"], *criteria)
        return f"=SUMIFS({self.of(measure['column'])},{','.join(counted)})"

    def average(self, column, *criteria, empty="0"):
        counted = [f'{self.of(COUNTED)},"Yes"', *criteria]
        return f"=IFERROR(AVERAGEIFS({self.of(column)},{','.join(counted)}),{empty})"

    def count(self, *criteria):
        counted = [f'{self.of(COUNTED)},"Yes"', *criteria]
        return f"=COUNTIFS({','.join(counted)})"

    def equal(self, column, cell, value):
        """The leading "=" keeps values such as "<5 kg" from being taken for a comparison; ~ does it for wildcards."""
        for special in "~*?":
            if special in value:
                cell = f'SUBSTITUTE({cell},"{special}","~{special}")'
        return f'{self.of(column)},"="&{cell}'

    def between(self, time, start, end):
        """From `start`, up to but without `end`; both are cells."""
        return f'{self.of(time)},">="&{start},{self.of(time)},"<"&{end}'
