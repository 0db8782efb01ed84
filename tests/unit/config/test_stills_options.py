from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from synesthete.config.base import build
from synesthete.config.stills import BUCKETS, ImagesOptions, load_images_options
from synesthete.errors import ConfigError


def options(**values: Any) -> ImagesOptions:
    return build(ImagesOptions, values, where="options")


def counts(found: Mapping[str, Sequence[int]]) -> dict[str, int]:
    assert all(list(indices) == list(range(len(indices))) for indices in found.values())
    return {bucket: len(indices) for bucket, indices in found.items()}


def test_counts_of_each_bucket_or_in_all() -> None:
    assert counts(options(count=3).numbers(BUCKETS)) == dict.fromkeys(BUCKETS, 3)
    assert counts(options(buckets=("relief", "glitch")).numbers(BUCKETS)) == {"relief": 16, "glitch": 16}
    dealt = counts(options(total=10).numbers(BUCKETS))
    assert sum(dealt.values()) == 10
    assert max(dealt.values()) - min(dealt.values()) == 1
    assert counts(options(total=2).numbers(BUCKETS)) == {"abstract": 1, "colour-field": 1}


def test_a_folder_has_an_end() -> None:
    held = {"cats": 30, "dogs": 2}
    assert counts(options().numbers(tuple(held), held)) == held
    assert counts(options(buckets=("dogs",)).numbers(tuple(held), held)) == {"dogs": 2}
    assert counts(options(count=5).numbers(tuple(held), held)) == {"cats": 5, "dogs": 2}
    assert counts(options(total=10).numbers(tuple(held), held)) == {"cats": 5, "dogs": 2}
    assert options(pick={"cats": (29,)}).numbers(tuple(held), held) == {"cats": (29,)}
    with pytest.raises(ConfigError, match="pick: dogs 2 is outside 0 to 1"):
        options(pick={"dogs": (0, 2)}).numbers(tuple(held), held)


def test_options_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("seed: 4\nsize: 64\npick:\n  glitch: [3, 0]\n  relief: [2]\n")
    found = load_images_options(file, {"size": 96, "workers": 2})
    assert (found.seed, found.size, found.workers) == (4, 96, 2)
    assert found.numbers(BUCKETS) == {"glitch": (3, 0), "relief": (2,)}
    with pytest.raises(ConfigError, match="pick says which pictures"):
        load_images_options(file, {"count": 3})
    for line, said in (
        ("model: ../sd", "model is no field of a file; pass --model"),
        ("pictures: /home", "pictures is no field of a file; pass --from"),
        ("pick: {glitch: [1, 1]}", "'glitch' needs indices, each of them once"),
        ("pick: {glitch: []}", "'glitch' needs indices"),
        ("pick: {zebra: [1]}", "bucket 'zebra' is unknown"),
        ("sizes: 64", "sizes is no known field"),
    ):
        file.write_text(line)
        with pytest.raises(ConfigError, match=said):
            load_images_options(file, {}).numbers(BUCKETS)


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
        ({"count": 2, "total": 9}, "drop one of them"),
        ({"pictures": Path("mine"), "seed": 1}, "takes pictures and draws none"),
        ({"source": "sd", "model": Path("sd"), "pictures": Path("mine")}, "takes pictures and draws none"),
        ({"source": "sd", "model": Path("sd"), "workers": 2}, "--workers is for pictures that a CPU makes"),
    ],
)
def test_what_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        options(**values)


def test_a_bucket_that_the_source_has_not() -> None:
    with pytest.raises(ConfigError, match="bucket 'zebra' is unknown; choose from abstract, "):
        options(buckets=("zebra",)).numbers(BUCKETS)
