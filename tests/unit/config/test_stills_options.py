from pathlib import Path
from typing import Any

import pytest

from synesthete.config.base import build
from synesthete.config.stills import BUCKETS, ImagesOptions
from synesthete.errors import ConfigError


def options(**values: Any) -> ImagesOptions:
    return build(ImagesOptions, values, where="options")


def test_counts_of_each_bucket_or_in_all() -> None:
    assert options(count=3).counts(BUCKETS) == dict.fromkeys(BUCKETS, 3)
    assert options(buckets=("relief", "glitch")).counts(BUCKETS) == {"relief": 16, "glitch": 16}
    dealt = options(total=10).counts(BUCKETS)
    assert sum(dealt.values()) == 10
    assert max(dealt.values()) - min(dealt.values()) == 1
    assert options(total=2).counts(BUCKETS) == {"abstract": 1, "colour-field": 1}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"source": "sd"}, "name its folder with --model DIR"),
        ({"model": Path("sd")}, "--model belongs to --source sd"),
        ({"steps": 25}, "--steps belongs to --source sd"),
        ({"source": "sd", "model": Path("sd"), "steps": 19}, "steps = 19"),
        ({"source": "sd", "model": Path("sd"), "guidance": 10.0}, "guidance = 10.0"),
        ({"cull": 0.6}, "cull = 0.6"),
        ({"size": 16}, "size = 16"),
        ({"buckets": ("glitch", "glitch")}, "named twice"),
    ],
)
def test_what_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        options(**values)


def test_a_bucket_that_the_source_has_not() -> None:
    with pytest.raises(ConfigError, match="--buckets 'zebra' is unknown; choose from abstract, "):
        options(buckets=("zebra",)).counts(BUCKETS)
