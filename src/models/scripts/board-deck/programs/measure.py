"""The figure under analysis: how it adds up, and how it is written in a sentence, a cell and on an axis."""

from dataclasses import asdict, dataclass

from roles import is_rate

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
SCALES = [(1e9, "bn", "billion"), (1e6, "M", "million"), (1e3, "k", "thousand")]


@dataclass
class Measure:
    # None when rows are counted.
    column: str | None
    label: str
    agg: str  # sum | mean | count
    kind: str  # currency | percent | integer | decimal
    currency: str = ""
    unit: str = ""

    def of(self, frame):
        if self.agg == "count":
            return float(len(frame))
        values = frame[self.column]
        if self.agg == "mean":
            return float(values.mean()) if values.notna().any() else 0.0
        return float(values.sum())

    def grouped(self, frame, by):
        groups = frame.groupby(by, sort=False)
        if self.agg == "count":
            return groups.size().astype(float)
        return groups[self.column].mean().fillna(0.0) if self.agg == "mean" else groups[self.column].sum()

    @property
    def adds_up(self):
        return self.agg != "mean"

    @property
    def named(self):
        """As it stands in the middle of a sentence."""
        return f"average {inner(self.label)}" if self.agg == "mean" else inner(self.label)

    def text(self, value, trim=None):
        """`trim` drops zeros at the end of a small number: by default for amounts, not for averages."""
        trim = self.agg != "mean" if trim is None else trim
        if self.kind == "percent":
            return percent(value)
        sign = SIGNS.get(self.currency, f"{self.currency} " if self.currency else "")
        unit = f" {self.unit}" if self.unit else ""
        return f"{'−' if value < 0 else ''}{sign}{short(abs(value), self.kind == 'integer' and self.adds_up, trim)}{unit}"

    def cell_format(self, exact=False):
        if self.kind == "percent":
            return "0.0%"
        if self.agg == "count" or (self.kind == "integer" and self.agg == "sum"):
            return "#,##0"
        sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(self.currency, "")
        body = "#,##0.00" if exact or self.agg == "mean" else "#,##0"
        return f'"{sign}"{body};-"{sign}"{body}' if sign else body

    def axis(self, values):
        """(divisor, axis title, number format) that keep the axis labels short."""
        largest = max((abs(value) for value in values), default=0)
        name = self.named[:1].upper() + self.named[1:]
        if self.kind == "percent":
            return 1, name, "0%" if largest > 0.2 else "0.0%"
        for size, _, word in SCALES:
            if largest >= size * 2:
                unit = f"{self.currency} {word}".strip()
                return size, f"{name}, {unit}", "#,##0.0" if largest / size < 10 else "#,##0"
        unit = self.currency or self.unit
        return 1, f"{name}, {unit}" if unit else name, "#,##0" if largest >= 20 or self.kind == "integer" and self.adds_up else "0.0#"

    def data(self):
        return asdict(self)


def measure_of(column):
    return Measure(
        column=column["name"],
        label=column["name"],
        agg="mean" if is_rate(column) else "sum",
        kind=column["kind"],
        currency=column["currency"],
        unit=column["unit"],
    )


def records():
    return Measure(column=None, label="Records", agg="count", kind="integer")


# Single words that are headers in sentence case; in other languages, and for names, the capital stays.
COMMON = set(
    "amount category channel cost count country customer department discount item location margin market month order"
    " price product profit quantity rating records region revenue sales score segment share site spend state status store"
    " supplier team temperature territory total turnover type units value volume year".split()
)


def inner(label):
    """The label in the middle of a sentence: "Net revenue" becomes "net revenue"; "Umsatz" and "VAT" stay."""
    words = label.split(" ")
    sentence_case = len(words) > 1 and words[0][1:].islower() and words[1][:1].islower()
    return label[:1].lower() + label[1:] if sentence_case or words[0].casefold() in COMMON else label


def short(value, whole=False, trim=True):
    for i, (size, suffix, _) in enumerate(SCALES):
        # 999,960 is a million, not "1000.0k".
        if value >= size * 0.99995 and (size > 1e3 or value >= 1e4):
            scaled = value / size
            return f"{scaled:.0f}{suffix}" if scaled >= 99.95 else f"{scaled:.1f}{suffix}"
    if whole or value >= 1000:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if trim else f"{value:.2f}"


def percent(share, signed=False):
    points = share * 100
    digits = 0 if abs(points) >= 99.5 else 1
    sign = "−" if points < 0 else "+" if signed else ""
    return f"{sign}{abs(points):.{digits}f}%"


def points(difference):
    return f"{'−' if difference < 0 else '+'}{abs(difference) * 100:.1f} pts"


def times_or_percent(change):
    """A rise past doubling reads better as a factor."""
    return f"×{1 + change:.1f}" if change >= 1 else percent(change, signed=True)
