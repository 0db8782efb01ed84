"""How fast training is, and how near to what the machine can do."""

import time
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["Throughput", "product_rate"]

_SIDE_CPU, _SIDE_GPU = 1024, 8192
_TRIALS = 5


def product_rate(
    device: torch.device, dtype: torch.dtype, *, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Measure how many floating point operations a second large matrix products reach.

    Parameters
    ----------
    clock
        Gives seconds: with ``time.process_time``, on a CPU, other processes count little.
    """
    side = _SIDE_GPU if device.type == "cuda" else _SIDE_CPU
    left = torch.ones(side, side, device=device, dtype=dtype)
    best = 0.0
    for trial in range(_TRIALS + 1):
        _wait(device)
        started = clock()
        torch.matmul(left, left)
        _wait(device)
        if trial:  # the first one sets up
            best = max(best, 2.0 * side**3 / (clock() - started))
    return best


class Throughput(Callback):
    """Logs frames a second, operations a second, and their share of the rate of matrix products.

    Batches say the ``number`` of each of their items, and how many ``clip_frames`` these have.

    Parameters
    ----------
    dtype
        What networks compute in.
    every
        Steps between two lines.
    """

    def __init__(self, dtype: torch.dtype, *, every: int) -> None:
        self._dtype, self._every = dtype, every
        self._operations = 0.0
        self._fastest = 0.0
        self._frames, self._spent, self._since = 0, 0.0, 0.0
        self._logged = 0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Count the operations of the first batch, forward and backward; then begin to take the time."""
        if not self._operations:
            # What is compiled while operations are counted would never be compiled again.
            with FlopCounterMode(display=False) as counter, torch.compiler.set_stance("force_eager"):
                with trainer.precision_plugin.forward_context():
                    loss = self._silently(pl_module, batch, batch_idx)
                loss.backward()
            pl_module.zero_grad()
            self._operations = counter.get_total_flops() / (len(batch.number) * batch.clip_frames)
            self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log, every so many steps."""
        self._frames += len(batch.number) * batch.clip_frames * trainer.world_size
        if trainer.global_step % self._every or trainer.global_step == self._logged:
            return
        self._logged = trainer.global_step
        spent = time.perf_counter() - self._since - self._spent
        rate = self._frames / max(spent, 1e-9)
        # Every time: what else runs on the machine may have slowed it down before.
        self._fastest = max(self._fastest, product_rate(pl_module.device, self._dtype))
        per_device = rate * self._operations / trainer.world_size
        pl_module.log_dict(
            {
                "speed/frames_per_second": rate,
                "speed/teraflops": per_device * trainer.world_size / 1e12,
                "speed/share_of_product_rate": per_device / self._fastest,
            }
        )
        self._frames, self._spent, self._since = 0, 0.0, time.perf_counter()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Don't count the time of validation as training's."""
        self._spent -= time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on counting."""
        self._spent += time.perf_counter()

    @staticmethod
    def _silently(module: LightningModule, batch: Any, index: int) -> Any:
        """Run a step, and log nothing."""
        log, module.log_dict = module.log_dict, lambda *given, **named: None  # type: ignore[method-assign]
        try:
            loss: Any = module.training_step(batch, index)
        finally:
            module.log_dict = log  # type: ignore[method-assign]
        return loss


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
