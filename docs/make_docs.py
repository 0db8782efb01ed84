"""Regenerate the pictures in docs/images and the generated pages; run it with ``make docs``.

The sheets show every preset at the same moments of the two songs in album/, and of further ones.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from compose_pages import save_pictures
from dataset_pages import dataset_sheet, stills_sheet
from finish_pages import effects_sheet, titles_sheet
from fit_pages import fit_sheet, styles_sheet
from PIL import Image
from preset_pages import draw_presets, pictures_at, presets_page, sampled_sheet, six_best
from program_pages import programs_page
from schema_pages import write_pages

from synesthete.config.analyse import AnalyseOptions
from synesthete.config.preset import load_preset
from synesthete.generators.base import Size
from synesthete.media.images import contact_sheet
from synesthete.render.hearing_report import report_hearing
from synesthete.render.plot import write_plot

DOCS = Path(__file__).resolve().parent
ALBUM = DOCS.parent / "album"
SONGS = ("torus-trooper-1.ogg", "jazz-vibe-ace.ogg")
HERO = ("silk", "tempest", "medusa", "nebula", "sapphire", "amoeba")


def save(picture: np.ndarray, name: str) -> None:
    """Save a JPEG that stays small in git."""
    Image.fromarray(picture).save(DOCS / "images" / name, quality=85, optimize=True)


def main() -> int:
    """Write all pictures and pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=DOCS.parent / "demo")
    parser.add_argument("--songs", type=Path, nargs="*", default=[], help="more songs for the sheets")
    given = parser.parse_args()
    torch.set_num_threads(1)
    (DOCS / "images").mkdir(exist_ok=True)
    (DOCS / "images" / "presets").mkdir(exist_ok=True)
    songs = [ALBUM / name for name in SONGS] + given.songs
    draw_presets(songs, given.workspace, save)
    save(sampled_sheet(songs[0], given.workspace), "sampled.jpg")
    save(six_best(songs, given.workspace), "six-best.jpg")
    save(effects_sheet(songs[0], given.workspace), "effects.jpg")
    save(titles_sheet(songs[1], given.workspace), "titles.jpg")
    save(fit_sheet(given.workspace), "fit.jpg")
    save(styles_sheet(given.workspace), "fit-styles.jpg")
    save(dataset_sheet(), "dataset.jpg")
    save(stills_sheet(), "stills.jpg")
    save_pictures(save)
    hero = [pictures_at(load_preset(name), songs[0], Size(480, 270), given.workspace)[2] for name in HERO]
    save(contact_sheet(hero, columns=3, labels=None, title=None), "hero.jpg")
    heard = report_hearing(ALBUM / SONGS[0], AnalyseOptions(workspace=given.workspace))
    plot = given.workspace / "heard.png"
    write_plot(plot, heard)
    with Image.open(plot) as picture:
        save(np.asarray(picture.convert("RGB").resize((1200, 900), Image.Resampling.LANCZOS)), "heard.jpg")
    for name, text in (
        ("presets.md", presets_page(songs)),
        ("programs.md", programs_page(DOCS / "images", given.workspace, save)),
    ):
        (DOCS / name).write_text(text, encoding="utf-8")
    write_pages()
    return 0


if __name__ == "__main__":
    sys.exit(main())
