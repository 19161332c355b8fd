"""Threads that ask regions at the same moment load botocore between them, and break nothing."""

import subprocess
import sys

#: One thread is held as it is about to import urllib3, which imports itself in a circle; then the other begins.
TWO_AT_ONCE = """
import sys, threading
from drorch.core.model import Region
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials
from drorch.storage.faults import translated
from drorch.storage.probe import probe

region = Region("mtl", "http://127.0.0.1:1", "drorch", "CA-QC")
within, begun = threading.Event(), threading.Event()
failures = []

class Holds:
    def find_spec(self, name, path=None, target=None):
        if name == "urllib3" and threading.current_thread().name == "first":
            within.set()
            begun.wait(10)
            second.join(1)

def first():
    probe(Bucket(region, Credentials("id", "secret")))

def then():
    within.wait(10)
    begun.set()
    with translated(region, "look"):
        pass

def guarded(work):
    try:
        work()
    except BaseException as failure:
        failures.append(repr(failure))

sys.meta_path.insert(0, Holds())
second = threading.Thread(target=guarded, args=(then,))
one = threading.Thread(target=guarded, args=(first,), name="first")
for thread in (one, second):
    thread.start()
for thread in (one, second):
    thread.join()
assert within.is_set()
print(*failures)
"""


def test_nobody_enters_a_package_in_the_midst_of_its_circle():
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", TWO_AT_ONCE], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
