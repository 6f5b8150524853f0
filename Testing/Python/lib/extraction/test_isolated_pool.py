"""Calls in processes of their own, and what is heard of those that die."""

import gc
import os
import signal
import struct
import sys
import time
from multiprocessing.connection import Connection

import pytest
from SkullGANLib.errors import BadInputError
from SkullGANLib.extraction.isolated_pool import IsolatedPool


def die_while_sending():
    (pipe,) = (one for one in gc.get_objects() if isinstance(one, Connection))
    os.write(pipe.fileno(), struct.pack("!i", 1000) + b"less than 1000 bytes")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("call", [die_while_sending, sys.exit])
def test_a_worker_that_answers_nothing_is_not_waited_for(call):
    with IsolatedPool(1) as executor:
        error = executor.submit(call).exception(timeout=60)
        assert "killed" in str(error)
        assert executor.submit(os.path.basename, "a/b").result(timeout=60) == "b"


def refuse():
    raise BadInputError("The CT shows no cranial vault.")


def test_an_error_of_the_call_is_that_of_its_future():
    with IsolatedPool(1) as executor:
        error = executor.submit(refuse).exception(timeout=60)
    assert isinstance(error, BadInputError)
    assert str(error) == "The CT shows no cranial vault."


def test_leaving_the_pool_ends_what_still_runs():
    with IsolatedPool(1) as executor:
        sleeping = executor.submit(time.sleep, 600)
        while not executor._running:
            time.sleep(0.01)
    assert "killed" in str(sleeping.exception(timeout=60))
