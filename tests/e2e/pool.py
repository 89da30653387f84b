#!/usr/bin/env python3
"""The key pool before the judge: the real binary, a scripted upstream, proxies, kills.

usage: pool.py --build build/release [--scheduler asio,sharing] [--only part] [--rounds 12] [--quick]

--quick leaves out what has to wait for windows of a minute.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import pool_choice  # noqa: E402
import pool_faults  # noqa: E402
import pool_limits  # noqa: E402
from checks import run  # noqa: E402


for slow in (pool_faults.an_address_that_is_throttled_rests_and_not_its_keys, pool_limits.limits_of_every_kind_are_exact,
             pool_limits.keys_of_one_project_share_its_limits, pool_limits.limits_lowered_under_load_hold_at_once,
             pool_limits.a_credential_that_used_its_limit_is_told_the_true_wait,
             pool_limits.limits_are_learnt_from_what_the_upstream_says):
    slow.slow = True


def more(arguments):
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--rounds", type=int, default=12, help="kills of the check of kills")


if __name__ == "__main__":
    sys.exit(run([*pool_choice.CHECKS, *pool_faults.CHECKS, *pool_limits.CHECKS], more))
