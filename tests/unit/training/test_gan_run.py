"""Training of the generator of pictures: what each network learns from, resuming, growing, what is left."""

from pathlib import Path

import pytest
import torch

from made_models import tiny_vae
from made_stills import write_lamps
from synesthete.config.gan import GAN_PRESETS, GanConfig, load_gan_config
from synesthete.config.training import TrainOptions
from synesthete.errors import ConfigError
from synesthete.models.discriminator import Discriminator, DiscriminatorSpec
from synesthete.models.gan import GanGenerator, GanSpec
from synesthete.models.weights import load_gan, read_weights
from synesthete.training.adaptive import Adaptation
from synesthete.training.gan_module import GanModule
from synesthete.training.gan_report import measure_gan, report_sheets
from synesthete.training.gan_run import DISCRIMINATOR, train_gan
from synesthete.training.stills.batches import PlainBatches
from synesthete.training.stills.collection import StillFolder, open_stills

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")

TINY = (
    "model.widths=[8, 8]", "model.discriminator_width=8", "model.style=8", "data.batch_size=2",
    "losses.penalty_every=2", "adaptive.start=0.4", "adaptive.ramp_pictures=100", "validation_batches=2",
    "validate_every=3", "steps=6",
)  # fmt: skip
OPTIONS = TrainOptions(preset="smoke", workers=0)


@pytest.fixture(autouse=True)
def _do_not_measure_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synesthete.training.throughput.product_rate", lambda device, dtype: 1e9)


@pytest.fixture
def config() -> GanConfig:
    return load_gan_config("smoke", None, TINY)


@pytest.fixture
def images(tmp_path: Path) -> StillFolder:
    return open_stills(write_lamps(tmp_path / "lamps"))


def module_of(config: GanConfig) -> GanModule:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = GanGenerator(GanSpec(latents=8, widths=(8, 8), blocks=1, style=8))
        discriminator = Discriminator(DiscriminatorSpec.through(tiny_vae(), width=8, side=64))
    return GanModule(config, generator, discriminator, Adaptation(config.adaptive), tiny_vae())


def test_presets_are_what_they_say() -> None:
    sides = {preset: load_gan_config(preset).size for preset in GAN_PRESETS}
    assert sides == {"smoke": 64, "small": 256, "base": 256, "large": 512}
    assert load_gan_config("smoke").optimiser.betas == (0.0, 0.99)
    with pytest.raises(ConfigError, match=r"optimiser.method = 'muon'"):
        load_gan_config("small", None, ["optimiser.method=muon"])
    with pytest.raises(ConfigError, match=r"start \(0.9\) is not between least \(0.4\) and most \(0.8\)"):
        load_gan_config("small", None, ["adaptive.start=0.9"])


def test_neither_network_learns_from_what_the_other_loses(config: GanConfig, images: StillFolder) -> None:
    module = module_of(config)
    batch = PlainBatches(images.training, side=64, batch_size=2)(0)
    found: dict[str, torch.Tensor] = {}
    module.log_dict = lambda figures, **_: found.update(figures)  # type: ignore[method-assign]
    module.training_step(batch, 0)

    def reaches(name: str, network: torch.nn.Module) -> bool:
        slopes = torch.autograd.grad(
            found[f"train/{name}"], list(network.parameters()), allow_unused=True, retain_graph=True
        )
        return any(slope is not None and bool(slope.any()) for slope in slopes)

    learned = {
        name: (reaches(name, module.generator), reaches(name, module.discriminator))
        for name in ("fooling", "chroma", "saturation", "true", "drawn")
    }
    assert learned == {
        "fooling": (True, False), "chroma": (True, False), "saturation": (True, False),
        "true": (False, True), "drawn": (False, True),
    }  # fmt: skip


def test_the_judge_learns_at_a_rate_of_its_own(config: GanConfig) -> None:
    module = module_of(config)
    optimiser = module.configure_optimizers()["optimizer"]
    rates = {id(p): group["initial_lr"] for group in optimiser.param_groups for p in group["params"]}
    rate = config.optimiser.learning_rate
    assert {rates.pop(id(p)) for p in module.generator.parameters()} == {rate}
    assert {rates.pop(id(p)) for p in module.discriminator.parameters()} == {5.0 * rate}
    assert not rates


def test_a_run_that_stopped_ends_with_the_same_weights(
    config: GanConfig, images: StillFolder, tmp_path: Path
) -> None:
    whole = train_gan(config, OPTIONS, tmp_path / "whole", images)
    hurried = OPTIONS.model_copy(update={"hours": 1e-9})
    steps = []
    while (found := train_gan(config, hurried, tmp_path / "parts", images)).weights is None:
        steps.append(found.step)
    assert steps == list(range(1, 6))
    for name, kind in (("gan.safetensors", "gan"), (DISCRIMINATOR, "discriminator")):
        one, other = (read_weights(tmp_path / run / name, kind).tensors for run in ("whole", "parts"))
        assert all(torch.equal(one[key], other[key]) for key in one), name
    again = train_gan(config, OPTIONS, tmp_path / "whole", images)
    assert again.figures == pytest.approx(whole.figures)


def test_a_finished_run_is_measured_begun_with_and_grown(
    config: GanConfig, images: StillFolder, tmp_path: Path
) -> None:
    found = train_gan(config, OPTIONS, tmp_path / "run", images)
    assert found.weights is not None
    generator, facts = load_gan(found.weights)
    assert facts["steps"] == 6
    assert facts["images"]["training"] == len(images.training)
    assert {"validation/frechet", "validation/variety", "validation/saturation"} <= facts["figures"].keys()
    card = found.weights.with_suffix(".md").read_text()
    assert "64x64" in card
    assert "Fréchet" in card
    assert len(list((tmp_path / "run" / "sheets").glob("*.png"))) == 2

    report = measure_gan(generator, tiny_vae(), images, count=8)
    near = report.figures["neighbours"]
    assert near["copies"] == near["copies_held_out"] == 0.0
    # Hardly trained, it draws nothing like the data, and held-out pictures are like it.
    assert report.figures["frechet"]["drawn"] > report.figures["frechet"]["held_out"]
    assert report.figures["sweep"]["jump"] < 3.0
    looks = report.figures["looks"]
    assert 1.0 <= looks["anchors"] <= 64.0
    assert 1.0 <= looks["held_out"] <= len(images.held_out)
    assert [one.shape[1:] for one in report.shapes] == [(36, 64), (64, 36)]
    report_sheets(tmp_path / "report", report)
    assert len(list((tmp_path / "report").glob("*.png"))) == 3

    begun = OPTIONS.model_copy(update={"init_from": found.weights})
    larger = load_gan_config("smoke", None, (*TINY, "model.widths=[8, 8, 8]"))
    grown = train_gan(larger, begun, tmp_path / "grown", images)
    assert grown.weights is not None
    assert load_gan(grown.weights)[0].spec.scale == 8
    other = load_gan_config("smoke", None, (*TINY, "model.style=16"))
    with pytest.raises(ConfigError, match="another shape than this run's, which may only have more levels"):
        train_gan(other, begun, tmp_path / "other", images)


def test_copies_of_what_was_learned_are_told(images: StillFolder) -> None:
    from synesthete.training import gan_report

    looks = gan_report._look(
        tiny_vae(), gan_report._Read(images.training, 64), len(images.training), lambda done: None
    ).thumbnails
    near, apart = gan_report._neighbours(looks[3:5, :, ::-1], looks)
    assert near == [3, 4]
    assert apart.max() < 1e-6


def test_other_pictures_do_not_go_on_with_a_run(
    config: GanConfig, images: StillFolder, tmp_path: Path
) -> None:
    train_gan(config, OPTIONS.model_copy(update={"hours": 1e-9}), tmp_path / "run", images)
    others = open_stills(write_lamps(tmp_path / "others", 21))
    with pytest.raises(ConfigError, match="holds a run with images = "):
        train_gan(config, OPTIONS, tmp_path / "run", others)
