"""How true a progress bar is: `bench-bar.py COMMAND ...` runs it on a terminal of its own.

Prints at which part of the whole time the bar reached 90 %, and the bar's largest distance from
the time, both in points of 100.
"""
import os
import pty
import re
import sys
import time

seen = []
rest = b""
start = time.monotonic()


def read(terminal):
    data = os.read(terminal, 4096)
    global rest
    rest += data
    for percent in re.findall(rb"(\d+)% ", rest):
        seen.append((time.monotonic() - start, int(percent)))
    rest = rest[rest.rfind(b"%") + 1 :]
    return data


quiet = os.open(os.devnull, os.O_WRONLY)
os.dup2(quiet, 1)
failed = pty.spawn(sys.argv[1:], read)
total = time.monotonic() - start
told = [(100 * at / total, percent) for at, percent in seen]
if failed or not told:
    sys.exit("the command failed or showed no progress")
ninety = next(at for at, percent in told if percent >= 90)
away = max(abs(at - percent) for at, percent in told)
print(f"{ninety:.0f} {away:.0f}", file=sys.stderr)
