"""Colours, shared by the workbook and the slides. One accent; everything else is ink and greys."""

ACCENTS = {
    "teal": ("0F766E", "134E4A", "E6F2F0"),
    "blue": ("1D5FA8", "16335B", "E8F0F9"),
    "navy": ("1F3A68", "14233F", "E9EDF4"),
    "green": ("2F7D32", "1E4620", "EAF3EA"),
    "purple": ("6B3FA0", "3A2259", "F0EAF7"),
    "red": ("B3261E", "5C1512", "FAEAE9"),
    "orange": ("B45309", "5F2D06", "FBF0E4"),
    "grey": ("475569", "1E293B", "EEF1F4"),
}


def palette(name):
    accent, deep, tint = ACCENTS.get(name, ACCENTS["teal"])
    return {
        "accent": accent,
        "deep": deep,
        "tint": tint,
        "ink": "1F2933",
        "text": "3E4C59",
        "muted": "6B7785",
        "rest": "B6C1CC",
        "line": "D9DFE5",
        "down": "B4530A" if name in ("red",) else "B3402A",
        "white": "FFFFFF",
    }
