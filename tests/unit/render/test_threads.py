import _thread
import threading
import time

import pytest
import torch

from synesthete.render.threads import interruptible, single_threaded


def test_what_is_interruptible_gives_its_result_or_its_failure() -> None:
    assert interruptible(lambda: threading.current_thread() is not threading.main_thread())

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        interruptible(fail)


def test_ctrl_c_comes_out_once_the_action_has_ended(ctrl_c: None) -> None:
    ended = []

    def act() -> None:
        _thread.interrupt_main()
        time.sleep(0.3)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        interruptible(act)
    assert ended


def test_the_number_of_threads_comes_back() -> None:
    before = torch.get_num_threads()
    with single_threaded():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
