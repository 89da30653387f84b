#!/usr/bin/env python3
"""The key pool before the judge: the real binary, a scripted upstream, proxies, kills.

usage: pool.py --build build/release [--scheduler asio,sharing] [--only part] [--rounds 12]
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import pool_choice  # noqa: E402
import pool_faults  # noqa: E402
import pool_limits  # noqa: E402
from checks import run  # noqa: E402


def more(arguments):
    arguments.add_argument("--rounds", type=int, default=12, help="kills of the check of kills")


if __name__ == "__main__":
    sys.exit(run([*pool_choice.CHECKS, *pool_faults.CHECKS, *pool_limits.CHECKS], more))
