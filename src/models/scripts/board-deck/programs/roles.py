"""Ranks columns for the part they can play in an analysis: time axis, measure, dimension, entity, rate."""

import re

# Words in several languages. They only break ties between columns whose values fit the part equally well.
MONEY_WORDS = r"revenue|sales|turnover|amount|total|net|gross|income|cost|spend|budget|value|umsatz|betrag|summe|erl[öo]s|kosten|netto|brutto|montant|chiffre|ventes|importe|ventas|ingresos|fatturato|billing|invoice"  # fmt: skip
MAIN_WORDS = r"revenue|sales|turnover|umsatz|erl[öo]s|chiffre|ventes|ventas|fatturato|net amount|netto"
COUNT_WORDS = r"qty|quantity|units|count|volume|menge|anzahl|st[üu]ck|quantit|cantidad|hours|visits|orders|clicks|views|headcount"
RATE_WORDS = r"price|rate|ratio|share|score|rating|avg|average|mean|median|index|age|temp|percent|pct|%|discount|margin %|days|duration|lead time|latency|satisfaction|nps|preis|rabatt|alter|quote|dauer|prix|taux|note|precio|per |speed|humidity|pressure|latitude|longitude|lat|lon|lng|weight|height|stars"  # fmt: skip
TIME_WORDS = r"order|invoice|sale|date|datum|created|booked|transaction|posted|period|month|day|fecha|timestamp"
SEGMENT_WORDS = r"region|country|market|segment|category|product|channel|line|type|group|department|team|store|branch|city|state|status|land|kategorie|kanal|produkt|gruppe|sparte|filiale|pays|catégorie|produit|país|canal"  # fmt: skip


def rank_roles(columns, rows):
    return {
        "times": ranked(columns, lambda column: time_score(column, rows)),
        "measures": ranked(columns, lambda column: measure_score(column, rows)),
        "rates": ranked(columns, lambda column: rate_score(column, rows)),
        "dimensions": ranked(columns, lambda column: dimension_score(column, rows)),
        "entities": ranked(columns, lambda column: entity_score(column, rows)),
        "ids": [column["name"] for column in columns if column["type"] == "id"],
    }


def ranked(columns, score):
    scored = [(score(column), -i, column["name"]) for i, column in enumerate(columns)]
    return [name for value, _, name in sorted(scored, reverse=True) if value > 0]


def named(column, words):
    return bool(re.search(rf"(?i)(?<![a-z])({words})", column["name"]))


def is_rate(column):
    """A measure that is averaged, not added up: a percentage, a price, a score, a duration."""
    if column["type"] != "number":
        return False
    if column["kind"] == "percent":
        return True
    return named(column, RATE_WORDS) and not named(column, MAIN_WORDS)


def time_score(column, rows):
    if column["type"] != "date" or column["distinct"] < 2 or column["filled"] < rows * 0.5:
        return 0
    return column["filled"] / rows + 0.5 * named(column, TIME_WORDS)


def measure_score(column, rows):
    if column["type"] != "number" or column["filled"] < rows * 0.4 or column["distinct"] < 2:
        return 0
    score = 1 + 0.5 * column["filled"] / rows
    score += 2 * (column["kind"] == "currency") + 1.5 * named(column, MONEY_WORDS) + 1.5 * named(column, MAIN_WORDS)
    score += 0.8 * named(column, COUNT_WORDS)
    return score * (0.3 if is_rate(column) else 1)


def rate_score(column, rows):
    if not is_rate(column) or column["filled"] < rows * 0.4 or column["distinct"] < 3:
        return 0
    return column["filled"] / rows + 0.6 * (column["kind"] == "percent") - 0.3 * (column["kind"] == "currency")


def dimension_score(column, rows):
    if column["type"] not in ("category", "boolean") or column["filled"] < rows * 0.5:
        return 0
    groups = len(set(column["groups"].values()))
    if not 2 <= groups <= 60 or groups > max(12, rows * 0.6):
        return 0
    handy = 1 if 3 <= groups <= 12 else 0.6 if groups <= 25 else 0.35
    return handy + 0.4 * named(column, SEGMENT_WORDS) + 0.3 * column["filled"] / rows - 0.3 * (column["type"] == "boolean")


def entity_score(column, rows):
    """Customers, articles, sites: many, but each with several rows."""
    if column["type"] not in ("category", "id", "text") or rows < 60:
        return 0
    distinct = len(set(column["groups"].values())) if column["type"] == "category" else column["distinct"]
    return 1 + column["filled"] / rows if 25 <= distinct <= rows * 0.4 else 0
