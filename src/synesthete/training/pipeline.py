"""From nothing to a film: train the autoencoder, then the model on it, measure, draw, and report.

Every stage leaves its result in a folder of its own, and is passed over once it is there.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from synesthete import __version__
from synesthete.audio.embeddings import open_embedder
from synesthete.config.diffusion import load_diffusion_config
from synesthete.config.pipeline import PipelineOptions
from synesthete.config.training import TrainOptions
from synesthete.config.vae import load_vae_config
from synesthete.files import digest_file, write_json, write_whole
from synesthete.models.weights import read_weights
from synesthete.training.diffusion_report import measure_diffusion, report_sheets
from synesthete.training.diffusion_run import train_diffusion
from synesthete.training.diffusion_table import diffusion_table
from synesthete.training.drawer import Drawer, load_drawer
from synesthete.training.listening import FALSE_ALARMS, measure_listening
from synesthete.training.model_film import write_model_film
from synesthete.training.run import Progress, RunResult
from synesthete.training.vae_run import train_vae

__all__ = ["PipelineResult", "run_pipeline"]

_EVALUATION: Final = "evaluation.json"
_SHEETS: Final = ("clips", "silence", "styles", "interpolation")


class PipelineResult(NamedTuple):
    """What it came to.

    Attributes
    ----------
    report
        ``report.json``, as it was written; None: time was up before.
    folder
        Where everything lies.
    stopped
        The training that time was up in, and how far it is; None: all is finished.
    """

    report: dict[str, Any] | None
    folder: Path
    stopped: tuple[str, int, int] | None


def run_pipeline(
    options: PipelineOptions,
    folder: Path,
    *,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_step: Progress = lambda step, steps, figures: None,
) -> PipelineResult:
    """Do what is still to be done.

    Parameters
    ----------
    folder
        Gets ``vae/`` and ``diffusion/``, training's runs, ``evaluation/``, ``film.mp4``, ``report.json`` and
        ``report.md``.
    on_stage
        Is told what begins.
    on_step
        Is told how training goes.

    Raises
    ------
    ConfigError
        If another run was begun in the folder, or weights can't be used.
    """
    vae_config = load_vae_config(options.preset, None, options.set_vae)
    config = load_diffusion_config(options.preset, None, options.set)
    train = TrainOptions(preset=options.preset, hours=options.hours, workers=options.workers)
    vae, trained, embedder = options.vae, None, None
    data = config.data
    if data.embedding != "none" and data.embedding_dir is not None:
        embedder = open_embedder(data.embedding, data.embedding_dir, size=data.embedding_size)
    if vae is not None:
        read_weights(vae, "vae")  # what is wrong is said before anything begins
    else:
        on_stage("autoencoder")
        trained = train_vae(vae_config, train, folder / "vae", on_step=on_step)
        if trained.weights is None:
            return PipelineResult(None, folder, ("autoencoder", trained.step, trained.steps))
        vae = trained.weights
    on_stage("model")
    model = train_diffusion(config, train, folder / "diffusion", vae=vae, embedder=embedder, on_step=on_step)
    if model.weights is None:
        return PipelineResult(None, folder, ("model", model.step, model.steps))
    asked = {
        "weights": digest_file(model.weights),
        "vae": digest_file(vae),
        "clips": options.measured,
        "seed": options.seed,
    }
    drawer = load_drawer(
        model.weights,
        vae=vae,
        embedding_dir=None if embedder is None else embedder.folder,
        seed=options.seed,
    )
    film = folder / "film.mp4"
    on_stage("evaluation")
    measured = _measured(folder / "evaluation", asked)
    if measured is None:
        film.unlink(missing_ok=True)  # it is of other weights
        measured = _evaluation(folder / "evaluation", drawer, asked)
    on_stage("film")
    if not film.exists():
        write_model_film(drawer, film, seed=options.seed, seconds=options.seconds)
    report = {
        "version": __version__,
        "preset": options.preset,
        "vae": str(options.vae) if trained is None else _training(trained),
        "diffusion": _training(model),
        **measured,
        "film": film.name,
    }
    write_json(folder / "report.json", report)
    write_whole(folder / "report.md", _page(report).encode())
    return PipelineResult(report, folder, None)


def _measured(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give what was measured before, if just this was asked."""
    path = folder / _EVALUATION
    if not path.exists():
        return None
    before: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return before if before["asked"] == asked else None


def _evaluation(folder: Path, drawer: Drawer, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = measure_diffusion(drawer, clips=asked["clips"], seed=asked["seed"])
    report_sheets(folder, found)
    heard = measure_listening(drawer, seed=asked["seed"])
    measured = {"asked": dict(asked), "listening": heard._asdict(), "figures": found.figures}
    write_json(folder / _EVALUATION, measured)
    return measured


def _training(found: RunResult) -> dict[str, Any]:
    figures = {
        name.removeprefix("validation/"): value
        for name, value in sorted(found.figures.items())
        if name.startswith("validation/")
    }
    return {"steps": found.steps, "figures": figures}


def _page(report: Mapping[str, Any]) -> str:
    heard, trained = report["listening"], report["diffusion"]
    verdict = "It listens" if heard["listens"] else "It can not be said to listen"
    vae = report["vae"]
    about = vae if isinstance(vae, str) else f"of {vae['steps']} steps"
    return "\n".join(
        [
            f"# A model that listens: preset {report['preset']}",
            "",
            f"Version {report['version']}. Autoencoder: {about}. Model: {trained['steps']} steps.",
            "",
            f"**{verdict}**: the right music loses less than the wrong in {heard['better']} of "
            f"{heard['clips']} clips, p = {heard['p']:.2g} by a signed-rank test; a model that ignores its "
            f"music passes in {100 * FALSE_ALARMS:g} % of such tests.",
            "",
            f"[The film]({report['film']})",
            "",
            "```",
            *diffusion_table(report["figures"]),
            "```",
            "",
            *(f"![{name}](evaluation/{name}.png)\n" for name in _SHEETS),
        ]
    )
