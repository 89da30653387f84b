"""What the checks of the key pool have in common: a node without keys, keys, clients, proxies."""
import concurrent.futures
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import rig as r  # noqa: E402
from checks import ASK, AUTH, CHAT, admin_call, patched, script  # noqa: E402

NO_KEYS = {"GEMINI_API_KEYS": ""}
FLASH, PRO = "gemini-2.5-flash", "gemini-2.5-pro"
SHORT = {**ASK, "max_tokens": 20}


def secret(number):
    return f"AIzaSy-pool-key-{number:012d}"


class Node:
    """A troupe without keys before a sandbox."""

    def __init__(self, rig, scheduler, rules=None, settings=None, **how):
        self.rig = rig
        self.sandbox, self.upstream = rig.sandbox(rules=rules or [{"text": "hi"}])
        self.how = {"scheduler": scheduler, "loops": 2, "extra_env": NO_KEYS, **how}
        self.start()
        if settings:
            self.settings(settings)

    def start(self):
        self.process, self.port, self.admin = self.rig.troupe(self.upstream, **self.how)

    def settings(self, change):
        return patched(self.admin, change)

    def key(self, number, **fields):
        answer = admin_call(self.admin, "POST", "/keys", {"secret": secret(number), **fields})
        assert answer.status == 201, answer.text
        return answer.json["id"]

    def shown(self, key):
        return admin_call(self.admin, "GET", f"/keys/{key}").json

    def change(self, key, **fields):
        answer = admin_call(self.admin, "PATCH", f"/keys/{key}", fields)
        assert answer.status == 200, answer.text

    def script(self, number, rules=(), **more):
        script(self.upstream, number if isinstance(number, str) else secret(number), list(rules), **more)

    def client(self, name, **fields):
        """A new credential's characters."""
        answer = admin_call(self.admin, "POST", "/credentials", {"name": name, "role": "client", **fields})
        assert answer.status == 201, answer.text
        return answer.json["secret"]

    def ask(self, body=None, path=CHAT, credential=None, headers=None, timeout=60):
        """Status, headers, text and seconds of one request; a refusal is an answer too."""
        fields = {"Content-Type": "application/json", **AUTH, **(headers or {})}
        if credential:
            fields["Authorization"] = f"Bearer {credential}"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         data=json.dumps(SHORT if body is None else body).encode(), headers=fields)
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                told = answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as e:
            told = e.code, e.headers, e.read().decode()
        return (*told, time.monotonic() - begun)

    def ask_many(self, count, at_once=16, **how):
        """As `ask`, so many times, so many of them at one time."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as threads:
            return list(threads.map(lambda _: self.ask(**how), range(count)))

    def load(self, **how):
        return self.rig.load(self.port, CHAT, how.pop("body", SHORT), **how)


def statuses(answers):
    told = {}
    for answer in answers:
        told[answer[0]] = told.get(answer[0], 0) + 1
    return told


class EgressProxy:
    """A proxy of proxy.py that dials from 127.0.0.`number`."""

    def __init__(self, rig, number, kind="connect", user="", password=""):
        self.source = f"127.0.0.{number}"
        file = str(rig.folder / f"proxy-{number}")
        command = [sys.executable, str(pathlib.Path(__file__).with_name("proxy.py")), "--kind", kind,
                   "--bind", self.source, "--port-file", file]
        if user:
            command += ["--user", user, "--password", password]
        process = rig.start(command)
        self.port, self.control = map(int, rig.await_file(file, process, "the proxy").split())
        scheme = "http" if kind == "connect" else "socks5"
        self.url = f"{scheme}://{f'{user}:{password}@' if user else ''}127.0.0.1:{self.port}"

    def tell(self, mode):
        r.post(self.control, f"/{mode}", {})

    def counts(self):
        return json.loads(r.get(self.control, "/"))
