"""Let the guards look at random programs 0 to N-1, and write what `synesthete.programs.catalogue` needs.

Prints how many draws they refused, and why.

Usage: ``python tools/make_catalogue.py [--count 2048] [--workers 2] --log FILE``; it goes on from the log.
"""

import argparse
import json
import multiprocessing
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from synesthete.files import whole_file
from synesthete.programs.catalogue import CATALOGUE_FILE, STOP_PARTS
from synesthete.programs.guards import missing_stops
from synesthete.programs.sample import sample_program, sample_style, written

__all__ = ["look"]


def look(number: int) -> tuple[int, dict[str, int], int]:
    """Give a program's number, the draws refused before it by reason, and its exposure in parts of a stop."""
    torch.set_num_threads(1)
    style = sample_style(number)
    refused = dict(sample_program(number, style).refused)
    stops = missing_stops(written(number, style, sum(refused.values()), stops=0.0))
    return number, refused, round(stops * STOP_PARTS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--log", type=Path, required=True, help="keep the results here, and go on from them")
    given = parser.parse_args()
    known = {}
    if given.log.is_file():
        rows = [json.loads(line) for line in given.log.read_text().splitlines()]
        known = {number: facts for number, *facts in rows}
    todo = [number for number in range(given.count) if number not in known]
    with multiprocessing.get_context("fork").Pool(given.workers) as pool, given.log.open("a") as log:
        for number, *facts in pool.imap_unordered(look, todo):
            known[number] = facts
            print(json.dumps([number, *facts]), file=log, flush=True)
    facts = [known[number] for number in range(given.count)]
    table = np.array([(sum(refused.values()), stops) for refused, stops in facts], "<i2")
    with whole_file(CATALOGUE_FILE) as part, part.open("wb") as handle:
        np.save(handle, table)
    reasons: Counter[str] = Counter()
    for refused, _ in facts:
        reasons.update(refused)
    draws = given.count + reasons.total()
    shares = ", ".join(f"{reason} {100 * n / draws:.2f} %" for reason, n in reasons.most_common())
    print(f"{CATALOGUE_FILE}: {given.count} programs of {draws} draws; refused: {shares or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
