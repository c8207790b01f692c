"""How the programs end: one machine-readable RESULT line on success, one PROBLEM line when the data is at fault."""

import json
import sys

from table_reader import Problem

PROBLEM_EXIT = 3


def run(main):
    try:
        main()
    except Problem as problem:
        print(f"PROBLEM: {problem}")
        sys.exit(PROBLEM_EXIT)


def report(result):
    print("RESULT " + json.dumps(result, ensure_ascii=False))
