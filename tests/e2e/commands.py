#!/usr/bin/env python3
"""The commands that talk to a running node, on the real binary, as an operator types them.

usage: commands.py --build build/release [--scheduler asio,sharing] [--only PART]
"""
import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import rig as r  # noqa: E402
from checks import ASK, AUTH, CHAT, run, script, status_of  # noqa: E402

KEY = "AIzaCommanded0123456789012345678901"


class Node:
    """A node and the command line on its machine."""

    def __init__(self, rig, scheduler, rules=None, **how):
        self.rig = rig
        self.name = how.pop("name", "commanded")
        _, self.upstream = rig.sandbox(rules=rules or [{"text": "hi"}])
        self.process, self.port, self.admin = rig.troupe(self.upstream, scheduler=scheduler, name=self.name, **how)
        self.data = str(rig.folder / f"{self.name}-data")

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TROUPE_")}
        return {**env, "TROUPE_DATA_DIR": self.data}

    def run(self, *words, code=0, given="", env=None):
        done = subprocess.run([str(self.rig.build / "troupe"), *words], input=given, capture_output=True, text=True,
                              env={**self.environment(), **(env or {})}, cwd=self.rig.folder, timeout=60)
        assert done.returncode == code, (words, done)
        return done

    def json(self, *words, **how):
        return json.loads(self.run(*words, "--json", **how).stdout)

    def typed(self, *words, lines=(), interrupt_at=None):
        """On a terminal of its own: types each line when something was printed; what was seen, and the code."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.rig.folder)
            os.execve(str(self.rig.build / "troupe"), ["troupe", *words], {**self.environment(), "TERM": "xterm"})
        seen, lines, end = b"", list(lines), time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
            if interrupt_at and interrupt_at in seen:
                interrupt_at = None
                os.write(terminal, b"\x03")
            if lines and seen.endswith((b": ", b") ")):
                os.write(terminal, lines.pop(0).encode() + b"\n")
        os.close(terminal)
        return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def a_key_serves_from_the_moment_it_is_added_until_it_is_deleted(rig, scheduler):
    node = Node(rig, scheduler, extra_env={"GEMINI_API_KEYS": ""})
    assert status_of(lambda: r.post(node.port, CHAT, ASK, AUTH))[0] == 503
    key = node.json("keys", "add", "--name", "主", "--tag", "new", given=KEY + "\n")
    assert "hi" in r.post(node.port, CHAT, ASK, AUTH)
    table = node.run("keys", "list", "--tag", "new").stdout
    assert key["id"] in table and "主" in table and KEY not in table, table
    node.run("keys", "disable", key["id"])
    assert status_of(lambda: r.post(node.port, CHAT, ASK, AUTH))[0] == 503
    node.run("keys", "enable", key["id"])
    assert "hi" in r.post(node.port, CHAT, ASK, AUTH)
    assert "ok" in node.run("keys", "check", key["id"]).stdout
    node.run("keys", "edit", key["id"], "--limit", "rpm=10", "--limit", "pro:rpm=5")
    edited = node.json("keys", "edit", key["id"], "--limit", "tpm=7", "--weight", "3")
    assert edited["limits"] == {"rpm": 10, "tpm": 7, "models": {"pro": {"rpm": 5}}}, edited
    assert edited["weight"] == 3 and edited["tags"] == ["new"], edited
    node.run("keys", "edit", key["id"], "--tier", "1", "--if-match", "1", code=7)
    node.run("keys", "delete", key["id"], code=2)
    node.run("keys", "delete", key["id"], "--yes")
    node.run("keys", "show", key["id"], code=6)
    assert status_of(lambda: r.post(node.port, CHAT, ASK, AUTH))[0] == 503
    told = node.run("audit", "--target", key["id"]).stdout
    assert "keys.add" in told and "keys.delete" in told and KEY not in told, told


def a_credential_is_shown_once_and_ends_when_it_is_revoked(rig, scheduler):
    node = Node(rig, scheduler)
    made = node.run("credentials", "add", "app", "--expires", "30d")
    secret = made.stdout.strip()
    assert secret.startswith("sk-") and secret not in made.stderr, made
    identity = made.stderr.split(" ", 1)[0]
    assert "hi" in r.post(node.port, CHAT, ASK, {"Authorization": "Bearer " + secret})
    assert secret not in node.run("credentials", "show", identity).stdout
    made = node.run("credentials", "renew", identity)
    renewed, identity = made.stdout.strip(), made.stderr.split(" ", 1)[0]
    assert status_of(lambda: r.post(node.port, CHAT, ASK, {"Authorization": "Bearer " + secret}))[0] == 401
    assert "hi" in r.post(node.port, CHAT, ASK, {"Authorization": "Bearer " + renewed})
    node.run("credentials", "revoke", identity, "--yes")
    assert status_of(lambda: r.post(node.port, CHAT, ASK, {"Authorization": "Bearer " + renewed}))[0] == 401


def options_change_while_it_serves_and_come_back(rig, scheduler):
    node = Node(rig, scheduler)
    dry = node.run("config", "set", "pool.attempts_max", "5", "--dry-run").stdout
    assert "3 -> 5" in dry and "a dry run" in dry, dry
    assert "pool.attempts_max = 3  (default)" in node.run("config", "show", "--origin", "pool.").stdout
    first = node.json("config", "set", "pool.attempts_max", "5")["revision"]
    second = node.json("config", "set", "pool.attempts_max", "7", "--if-match", str(first))["revision"]
    node.run("config", "set", "pool.attempts_max", "9", "--if-match", str(first), code=7)
    wrong = node.run("config", "set", "pool.attempts_max", "100000", "nonsense", "1", code=1).stderr
    assert "pool.attempts_max" in wrong and "nonsense" in wrong, wrong
    fixed = node.run("config", "set", "loops", "2", code=1).stderr
    assert "TROUPE_LOOPS" in fixed, fixed
    assert "5 -> 7" in node.run("config", "diff", str(first), str(second)).stdout
    node.run("config", "restore", str(first))
    assert "pool.attempts_max = 5" in node.run("config", "show", "pool.").stdout
    node.run("config", "patch", "-", given='{"pool": {"attempts_max": null}} // as it was')
    assert "pool.attempts_max = 3" in node.run("config", "show", "pool.").stdout
    assert len(node.json("config", "history", "--all")["versions"]) == 4
    assert node.process.stop() == 0
    offline = node.run("config", "show", "pool.")
    assert "pool.attempts_max = 3" in offline.stdout and "no node answers" in offline.stderr, offline


def many_keys_are_imported_with_progress_and_changed_by_filters(rig, scheduler):
    node = Node(rig, scheduler)
    keys = [f"AIzaMany{i:031d}" for i in range(3000)]
    text = rig.file("keys.txt", ", ".join(keys) + "\n" + keys[0] + "\nnonsense\n")
    seen, code = node.typed("keys", "import", text, "--tag", "many")
    assert code == 1 and "3,000 keys added, 0 already there, 1 repeated, 1 refused" in seen, (code, seen[-500:])
    assert "] " in seen and " of 3,0" in seen and keys[0] not in seen, seen[:500]
    again = node.run("keys", "import", text, "--dry-run", code=1).stdout
    assert "0 keys would be added, 3,000 already there" in again, again
    assert len(node.json("keys", "list", "--tag", "many", "--all")["keys"]) == 3000
    done = node.run("keys", "disable", "--filter", "tag=many").stdout
    assert "3,000 keys matched, 3,000 disabled, 0 failed" in done, done
    page = node.json("keys", "list", "--state", "disabled", "--limit", "5")
    assert page["matched"] == 3000 and len(page["keys"]) == 5, page
    node.run("keys", "delete", "--filter", "tag=many", code=2)
    node.run("keys", "delete", "--filter", "tag=many", "--yes")
    assert node.json("keys", "list")["total"] == len(r.KEYS)


def a_backup_comes_back_with_and_without_a_node(rig, scheduler):
    node = Node(rig, scheduler)
    first = node.json("keys", "add", "--name", "first", given=KEY)["id"]
    assert "backup 1 in" in node.run("backup", "copy").stdout
    second = node.json("keys", "add", "--name", "second", given=KEY[::-1])["id"]
    node.run("keys", "edit", first, "--name", "changed")
    node.run("restore", "copy", code=2)
    told = node.run("restore", "copy", "--yes").stdout
    assert "keys: 0 added, 1 changed, 1 deleted" in told, told
    assert node.json("keys", "show", first)["name"] == "first"
    node.run("keys", "show", second, code=6)
    node.run("keys", "edit", first, "--name", "changed")
    assert node.process.stop() == 0
    told = node.run("restore", "copy", "--yes")
    assert "no node answers" in told.stderr, told
    node.process, node.port, node.admin = rig.troupe(node.upstream, scheduler=scheduler, name=node.name)
    assert node.json("keys", "show", first)["name"] == "first"
    assert "sealed anew" in node.run("secrets", "rotate").stdout
    assert "hi" in r.post(node.port, CHAT, ASK, AUTH)


def a_node_is_named_by_url_and_credential_too(rig, scheduler):
    node = Node(rig, scheduler)
    url = {"TROUPE_ADMIN_URL": f"http://127.0.0.1:{node.admin}", "TROUPE_DATA_DIR": "nowhere"}
    file = rig.file("credential", r.CREDENTIAL + "\n")
    os.chmod(file, 0o640)
    assert "chmod 600" in node.run("whoami", "--credential-file", file, env=url, code=2).stderr
    os.chmod(file, 0o600)
    assert "operator" in node.run("whoami", "--credential-file", file, env=url).stdout
    assert "local uid" in node.run("whoami").stdout
    node.run("whoami", env={**url, "TROUPE_ADMIN_CREDENTIAL": "sk-wrong-0123456789"}, code=5)
    viewer = node.run("credentials", "add", "watcher", "--role", "viewer").stdout.strip()
    as_viewer = {**url, "TROUPE_ADMIN_CREDENTIAL": viewer}
    assert "viewer" in node.run("whoami", env=as_viewer).stdout
    node.run("keys", "list", env=as_viewer)
    node.run("keys", "add", given=KEY, env=as_viewer, code=5)
    nobody = node.run("keys", "list", "--data-dir", "nowhere", code=4).stderr
    assert "nowhere/admin.sock" in nobody and "--data-dir" in nobody, nobody


def a_terminal_asks_hides_and_can_be_interrupted(rig, scheduler):
    node = Node(rig, scheduler)
    seen, code = node.typed("keys", "add", "--tag", "typed", lines=[KEY])
    assert code == 0 and "(not shown)" in seen and KEY not in seen and "\x1b[32mready" in seen, (code, seen)
    key = node.json("keys", "list", "--tag", "typed")["keys"][0]["id"]
    seen, code = node.typed("keys", "delete", key, lines=["no"])
    assert code == 1 and "nothing was done" in seen, (code, seen)
    seen, code = node.typed("keys", "delete", key, lines=["yes"])
    assert code == 0, (code, seen)
    node.run("keys", "show", key, code=6)
    script(node.upstream, "*", [{"delay_ms": 2000, "text": "slow"}])
    node.run("keys", "import", "-", given="\n".join(f"AIzaSlow{i:031d}" for i in range(500)))
    seen, code = node.typed("keys", "check", "--all", "--yes", interrupt_at=b" of 5")
    assert code == 1 and "asking the node to cancel" in seen and "the job was cancelled" in seen, (code, seen[-500:])
    assert node.json("jobs")["jobs"][0]["state"] == "cancelled"


def what_others_wrote_cannot_command_the_terminal(rig, scheduler):
    node = Node(rig, scheduler)
    message = "\x1b]0;owned\x07\x1b[2J\u202eevil"
    body = json.dumps({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}})
    script(node.upstream, "*", [{"error": {"status": 400, "body": body, "content_type": "application/json"}}])
    key = node.json("keys", "list")["keys"][0]["id"]
    assert message in node.json("keys", "check", key, code=1)["check"]["message"]
    seen, code = node.typed("keys", "check", key)
    assert code == 1 and "\\x1b]0;owned\\x07\\x1b[2J\\u202eevil" in seen, seen
    for raw in ("\x1b]", "\x07", "\x1b[2J", "\u202e"):
        assert raw not in seen, seen
    assert "must hold no control character" in node.run("keys", "edit", key, "--note", message, code=1).stderr


CHECKS = [a_key_serves_from_the_moment_it_is_added_until_it_is_deleted,
          a_credential_is_shown_once_and_ends_when_it_is_revoked, options_change_while_it_serves_and_come_back,
          many_keys_are_imported_with_progress_and_changed_by_filters, a_backup_comes_back_with_and_without_a_node,
          a_node_is_named_by_url_and_credential_too, a_terminal_asks_hides_and_can_be_interrupted,
          what_others_wrote_cannot_command_the_terminal]


if __name__ == "__main__":
    sys.exit(run(CHECKS))
