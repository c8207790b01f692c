"""What one cell may mean: missing, a number, a date, yes or no. Nothing here knows about columns or files."""

import datetime as dt
import re
import unicodedata
from typing import NamedTuple

MISSING = {
    "", "-", "--", "–", "—", "?", ".", "n/a", "na", "n.a.", "#n/a", "nan", "null", "(null)", "none", "nil", "nul",
    "#value!", "#ref!", "#div/0!", "#name?", "missing", "(blank)", "k.a.", "keine angabe", "s/o", "tbd", "tba",
}  # fmt: skip
TRUE = {"yes", "y", "true", "t", "ja", "j", "oui", "si", "sí", "wahr", "vrai", "✓", "x"}
FALSE = {"no", "n", "false", "f", "nein", "non", "falsch", "faux", "✗"}
SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN", "us$": "USD"}
CODES = {"eur", "usd", "gbp", "chf", "jpy", "inr", "pln", "sek", "nok", "dkk", "czk", "huf", "cad", "aud", "cny", "brl", "zar", "mxn"}
SCALES = {"k": 1e3, "tsd": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mln": 1e6, "bn": 1e9, "b": 1e9, "mrd": 1e9}
UNITS = {
    "kg", "g", "t", "lb", "lbs", "km", "cm", "mm", "mi", "l", "h", "hr", "hrs", "hours", "hour", "min", "mins", "s", "sec",
    "d", "days", "day", "tage", "pcs", "pc", "units", "stk", "stück", "years", "yrs", "°c", "kwh", "mwh", "m²", "m2", "x",
}  # fmt: skip
MONTHS = {
    "jan": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3, "apr": 4, "avr": 4, "may": 5, "mai": 5, "jun": 6,
    "juin": 6, "jul": 7, "juil": 7, "aug": 8, "aoû": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12,
    "déc": 12, "ene": 1, "abr": 4, "ago": 8, "dic": 12,
}  # fmt: skip

SPACES = re.compile(r"[\s\u00a0\u202f\u2009\u2007]+")
BODY = re.compile(r"\d[\d.,' ]*|[.,]\d+")
AFFIX = re.compile(r"^([^\d.,()\-+]*)([\-+]?)([^\d.,()\-+]*)(\d[\d.,' ]*|[.,]\d+)([^\d.,]*)$")
EXPONENT = re.compile(r"^[\-+]?\d+(\.\d+)?[eE][\-+]?\d+$")
NUMERIC_DATE = re.compile(r"^(\d{1,4})([./\-])(\d{1,2})\2(\d{1,4})$")
CLOCK = re.compile(r"[T ,]+(\d{1,2}):(\d{2})(:\d{2}(\.\d+)?)?\s*([ap]m|AM|PM)?\s*(Z|UTC|[\-+]\d{2}:?\d{2})?$")
DAY_WORD = re.compile(r"^(?:[^\W\d]+,?\s+)?(\d{1,2})(?:st|nd|rd|th|\.)?[\s\-]+([^\W\d]{3,10})\.?[\s,\-]+(\d{4}|\d{2})$")
WORD_DAY = re.compile(r"^([^\W\d]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$")
WORD_YEAR = re.compile(r"^([^\W\d]{3,10})\.?[\s\-/]+(\d{4}|\d{2})$")
YEAR_MONTH = re.compile(r"^(\d{4})[\-/.](\d{1,2})$")
MONTH_YEAR = re.compile(r"^(\d{1,2})[/.\-](\d{4})$")
QUARTER = re.compile(r"^(?:[qQ]([1-4])[\s\-/]*(\d{4})|(\d{4})[\s\-/]*[qQ]([1-4]))$")


class Number(NamedTuple):
    value: float
    currency: str
    percent: bool
    unit: str
    # "" when the text leaves no doubt; otherwise the separator that could be either a decimal mark or a group mark.
    doubtful: str


class Date(NamedTuple):
    value: dt.date
    # "/", "-" or "." where day and month could be swapped, else "".
    doubtful: str
    kind: str


def is_missing(text):
    return SPACES.sub(" ", text).strip().casefold() in MISSING


def looks_typed(text):
    return parse_number(text, ".") is not None or parse_date(text, {}) is not None


def parse_bool(text):
    word = text.strip().casefold()
    return True if word in TRUE else False if word in FALSE else None


def parse_number(text, decimal):
    """`decimal` settles the doubtful: "1.234" and "1,234"."""
    text = SPACES.sub(" ", text).strip().replace("−", "-").replace("’", "'")
    if EXPONENT.match(text):
        return Number(float(text), "", False, "", "")
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    if text.endswith("-"):
        negative, text = True, text[:-1].strip()
    match = AFFIX.match(text)
    if not match:
        return None
    before, sign, between, body, after = match.groups()
    marks = read_affixes(f"{before} {between}", after)
    if marks is None:
        return None
    value, doubtful = parse_digits(body.strip(), decimal)
    if value is None:
        return None
    currency, percent, unit, scale = marks
    value *= scale * (0.01 if percent else 1)
    return Number(-value if negative != (sign == "-") else value, currency, percent, unit, doubtful)


def read_affixes(before, after):
    """(currency, percent, unit, scale), or None when there are words around the digits that mean something else."""
    currency, percent, unit, scale = "", False, "", 1
    for place, words in (("before", before), ("after", after)):
        for word in re.findall(r"us\$|zł|[€$£¥₹%]|[^\s€$£¥₹%]+", words.casefold()):
            bare = word.rstrip(".")
            if word in SYMBOLS:
                currency = SYMBOLS[word]
            elif bare in CODES:
                currency = bare.upper()
            elif word == "%":
                percent = True
            elif place == "after" and bare in SCALES and scale == 1:
                scale = SCALES[bare]
            elif place == "after" and bare in UNITS and not unit:
                unit = bare
            elif bare != "kr":
                return None
    return currency, percent, unit, scale


def parse_digits(body, decimal):
    digits = body.replace(" ", "").replace("'", "")
    if (" " in body or "'" in body) and not re.fullmatch(r"\d{1,3}([ ']\d{3})+([.,]\d+)?", body):
        return None, ""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        mark = "." if digits.rfind(".") > digits.rfind(",") else ","
        group = "," if mark == "." else "."
        whole, _, fraction = digits.rpartition(mark)
        if mark in whole or (group in whole and not re.fullmatch(rf"\d{{1,3}}([{group}]\d{{3}})+", whole)):
            return None, ""
        return float(f"{whole.replace(group, '')}.{fraction or 0}"), ""
    mark = "." if points else ","
    count = points + commas
    if count == 0:
        return float(digits), ""
    if count > 1:
        return (float(digits.replace(mark, "")), "") if re.fullmatch(rf"\d{{1,3}}([{mark}]\d{{3}})+", digits) else (None, "")
    whole, _, fraction = digits.partition(mark)
    if len(fraction) != 3 or not 1 <= len(whole) <= 3 or whole == "0" or " " in body or "'" in body:
        return float(f"{whole or 0}.{fraction or 0}"), ""
    return float(f"{whole}.{fraction}") if mark == decimal else float(whole + fraction), mark


def decimal_vote(text):
    """The decimal mark this text can only be written with, or ""."""
    body = BODY.search(text)
    if not body:
        return ""
    digits = re.sub(r"[ ']", "", body.group().strip())
    mark = max(".,", key=digits.rfind)
    if mark not in digits or digits.count(mark) > 1:
        return {".": ",", ",": "."}[mark] if digits.count(mark) > 1 else ""
    whole, _, fraction = digits.rpartition(mark)
    return mark if len(fraction) != 3 or "." in whole or "," in whole or whole in ("", "0") else ""


def parse_date(text, day_first, serials=False):
    """`day_first` maps a separator to the order in doubt; `serials` allows spreadsheet day numbers."""
    text = SPACES.sub(" ", text).strip()
    if not 5 <= len(text) <= 40 or not any(char.isdigit() for char in text):
        return None
    if serials and re.fullmatch(r"\d{5}(\.\d+)?", text) and 20_000 <= float(text) <= 60_000:
        return Date(dt.date(1899, 12, 30) + dt.timedelta(days=int(float(text))), "", "serial")
    text = CLOCK.sub("", text)
    match = NUMERIC_DATE.match(text)
    if match:
        return numeric_date(*match.groups(), day_first)
    return word_date(text) or period_date(text)


def numeric_date(first, mark, second, third, day_first):
    if len(first) == 4:
        return dated(int(first), int(second), int(third), "", "iso")
    if len(first) > 2 or len(third) not in (2, 4):
        return None
    a, b, year = int(first), int(second), full_year(third)
    if a > 12 or b > 12:
        day, month, doubtful = (a, b, "") if a > 12 else (b, a, "")
    else:
        doubtful = "" if a == b else mark
        day, month = (a, b) if day_first.get(mark, mark == ".") else (b, a)
    days_first = day_first.get(mark, mark == ".") if a == b else (day, month) == (a, b)
    return dated(year, month, day, doubtful, f"d{mark}m{mark}y" if days_first else f"m{mark}d{mark}y")


def word_date(text):
    for pattern, order in ((DAY_WORD, (3, 2, 1)), (WORD_DAY, (3, 1, 2))):
        match = pattern.match(text)
        if match:
            year, month, day = (match.group(i) for i in order)
            number = month_number(month)
            return dated(full_year(year), number, int(day), "", "words") if number else None
    match = WORD_YEAR.match(text)
    if match and month_number(match.group(1)):
        return dated(full_year(match.group(2)), month_number(match.group(1)), 1, "", "month")
    return None


def period_date(text):
    match = YEAR_MONTH.match(text)
    if match:
        return dated(int(match.group(1)), int(match.group(2)), 1, "", "month")
    match = MONTH_YEAR.match(text)
    if match:
        return dated(int(match.group(2)), int(match.group(1)), 1, "", "month")
    match = QUARTER.match(text)
    if match:
        quarter, year = match.group(1) or match.group(4), match.group(2) or match.group(3)
        return dated(int(year), int(quarter) * 3 - 2, 1, "", "quarter")
    if re.fullmatch(r"(19|20)\d{6}", text):
        return dated(int(text[:4]), int(text[4:6]), int(text[6:]), "", "compact")
    return None


def dated(year, month, day, doubtful, kind):
    try:
        return Date(dt.date(year, month, day), doubtful, kind) if 1800 <= year <= 2250 else None
    except ValueError:
        return None


def full_year(text):
    year = int(text)
    return year if year > 99 else year + (2000 if year < 70 else 1900)


def month_number(word):
    word = word.casefold()
    return MONTHS.get(word[:4]) or MONTHS.get(word[:3])


def folded(text):
    """The form in which two spellings of one category are equal: no case, accents, punctuation or doubled spaces."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[^\w+<>=%#/]+", " ", plain.replace("_", " ")).strip() or text.strip()
