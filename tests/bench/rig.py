"""What benchmarks, counted figures and soaks share: starting and measuring processes.

Everything runs on loopback, in a folder of its own, and is ended by the rig that started it.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

CREDENTIAL = "sk-bench-0123456789abcdef0123456789abcdef"
KEYS = [f"AIzaBench{i:030d}" for i in range(4)]
TICK = os.sysconf("SC_CLK_TCK")

CHAT_BODY = {
    "model": "gemini-2.5-flash",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant that answers in one short paragraph."},
        {"role": "user", "content": "What is the capital of France, and why is it where it is? " + "Tell me more. " * 16},
    ],
    "temperature": 0.7,
    "max_tokens": 256,
}


def paced(events, per_second):
    """Rules for streams of so many events at that pace, each of an ordinary size."""
    return [{"fixed": True, "events": events, "events_per_second": per_second, "event_bytes": 40}]


def text_of(size):
    words = "The quick brown fox jumps over the lazy dog near the river bank. "
    return (words * (size // len(words) + 1))[:size]


def conversation(size):
    turns = []
    used = 0
    while used < size:
        turns.append({"role": "user" if len(turns) % 2 == 0 else "assistant", "content": text_of(1000)})
        used += 1040
    if turns[-1]["role"] == "assistant":
        turns.append({"role": "user", "content": "go on"})
    return {"model": "gemini-2.5-flash", "messages": turns}


def native_body():
    return {"contents": [{"role": "user", "parts": [{"text": text_of(500)}]}],
            "generationConfig": {"temperature": 0.7, "maxOutputTokens": 256}}


class Process:
    """A child that is ended with the rig; `cpu` and `memory` come from the kernel."""

    def __init__(self, command, cores=None, env=None, log=None):
        if cores is not None:
            command = ["taskset", "-c", cores, *command]
        self.log = open(log, "wb") if log else subprocess.DEVNULL
        # SIGXFSZ stays ignored, as Python has it: so a test can let writes fail by a file size limit.
        self.child = subprocess.Popen(command, env=env, stdout=self.log, stderr=subprocess.STDOUT,
                                      restore_signals=False)

    @property
    def pid(self):
        return self.child.pid

    def cpu(self):
        """Seconds of user and system time of the whole process so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self, how=signal.SIGTERM, limit=30):
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            return self.child.wait(limit)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


class Rig:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-bench-"))
        self.processes = []
        self.loads = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, separators=(",", ":")))
        return str(path)

    def start(self, command, **how):
        process = Process(command, **how)
        self.processes.append(process)
        return process

    def await_file(self, path, process, what):
        for _ in range(600):
            if pathlib.Path(path).exists() and pathlib.Path(path).read_text().strip():
                return pathlib.Path(path).read_text().strip()
            if process.child.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"{what} did not start")

    def sandbox(self, cores=None, rules=None, port=0):
        """The upstream; without rules it gives constant answers without looking at the body."""
        number = len(self.processes)
        port_file = str(self.folder / f"sandbox-port-{number}")
        script = self.file(f"script-{number}.json", [{"key": "*", "rules": rules or [{"fixed": True}]}])
        process = self.start([str(self.build / "troupe-sandbox"), "--listen", f"127.0.0.1:{port}",
                              "--port-file", port_file, "--script", script], cores=cores)
        return process, int(self.await_file(port_file, process, "troupe-sandbox"))

    def troupe(self, upstream_port, cores=None, loops=1, scheduler="asio", prefix=(), extra_env=None, name="troupe"):
        data = self.folder / f"{name}-data"
        out = str(self.folder / f"{name}.log")
        env = {k: v for k, v in os.environ.items() if not k.startswith("TROUPE_")}
        env.update({
            "TROUPE_LISTEN": "127.0.0.1:0", "TROUPE_ADMIN_LISTEN": "127.0.0.1:0",
            "TROUPE_DATA_DIR": str(data), "TROUPE_LOOPS": str(loops), "TROUPE_SCHEDULER": scheduler,
            "GEMINI_API_KEYS": ",".join(KEYS), "AUTH_TOKEN": CREDENTIAL,
            "BASE_URL": f"http://127.0.0.1:{upstream_port}/v1beta",
            "TROUPE_LOG_TARGET": "files",
        })
        env.update(extra_env or {})
        process = self.start([*prefix, str(self.build / "troupe"), "serve"], cores=cores, env=env, log=out)
        ports = {}
        for _ in range(1200):
            for line in pathlib.Path(out).read_text(errors="replace").splitlines():
                if line.startswith("troupe listens on http://"):
                    ports["client"] = int(line.rsplit(":", 1)[1])
                if line.startswith("admin on http://"):
                    ports["admin"] = int(line.rsplit(":", 1)[1])
            if len(ports) == 2:
                return process, ports["client"], ports["admin"]
            if process.child.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit("troupe did not start:\n" + pathlib.Path(out).read_text(errors="replace")[-2000:])

    def nginx(self, upstream_port, cores=None):
        port = free_port()
        conf = f"""
daemon off; master_process off; error_log stderr crit; pid {self.folder}/nginx.pid;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 1h; client_max_body_size 64m;
  client_body_buffer_size 1m; client_body_temp_path {self.folder}/n1; proxy_temp_path {self.folder}/n2;
  fastcgi_temp_path {self.folder}/n3; uwsgi_temp_path {self.folder}/n4; scgi_temp_path {self.folder}/n5;
  upstream sandbox {{ server 127.0.0.1:{upstream_port}; keepalive 512; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://sandbox; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header x-goog-api-key {KEYS[0]}; proxy_buffering off; proxy_read_timeout 1h;
    }}
  }}
}}"""
        process = self.start(["nginx", "-p", str(self.folder), "-c", self.file("nginx.conf", conf)],
                             cores=cores, log=str(self.folder / "nginx.log"))
        wait_port(port, process)
        return process, port

    def load_command(self, port, path, body, cores=None, headers=(), credential=CREDENTIAL, **options):
        self.loads += 1
        command = [str(self.build / "troupe-load"), "--port", str(port), "--path", path,
                   "--body", self.file(f"body-{self.loads}-{threading.get_ident()}.json", body), "--header", "Content-Type: application/json",
                   "--header", f"Authorization: Bearer {credential}"]
        for header in headers:
            command += ["--header", header]
        for name, value in options.items():
            if value is True:
                command.append(f"--{name}")
            elif value:
                command += [f"--{name}", str(value)]
        if cores is not None:
            command = ["taskset", "-c", cores, *command]
        return command

    def load(self, *where, **how):
        done = subprocess.run(self.load_command(*where, **how), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the load generator failed: {done.stderr}")
        return json.loads(done.stdout)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process):
    import socket
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.child.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit("a server did not start")


def get(port, path, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def post(port, path, value, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=json.dumps(value).encode(),
                                     headers={"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()
