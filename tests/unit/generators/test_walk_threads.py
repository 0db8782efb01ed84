"""Walks are the same to the bit in processes with other counts of threads: plan, anchors, rows, pictures."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_with(threads: int) -> dict[str, Any]:
    ours = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("walk_digests.py")],
        # Libraries of linear algebra have variables of their own, that would decide.
        env={name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | ours,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_no_bit_of_a_walk_depends_on_the_threads_of_its_process() -> None:
    one, two = run_with(1), run_with(2)
    assert (one.pop("threads"), two.pop("threads")) == (1, 2)
    assert len(set(one["digests"].values())) == 14
    assert one == two
