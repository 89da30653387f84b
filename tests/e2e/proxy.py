#!/usr/bin/env python3
"""An outgoing proxy for tests: HTTP CONNECT or SOCKS5, counted and told how to fail over HTTP.

usage: proxy.py --kind connect|socks5 [--port 0] [--user U --password P] [--bind 127.0.0.5]
                [--control-port 0] [--port-file FILE]

It dials from --bind, so that the upstream sees which proxy a call came through. The port file gets
both ports when it is ready: the proxy's, then that of its control:

  GET /                {"tunnels", "open", "refused", "unauthorized", "mode"}
  POST /ok             tunnels are made (the beginning)
  POST /refuse         every tunnel is refused: CONNECT 502, SOCKS5 reply 5
  POST /forbid         CONNECT 403, SOCKS5 reply 2
  POST /hang           connections are taken and nothing is ever said
  POST /die            nobody listens any more, and open tunnels are cut
"""
import argparse
import asyncio
import base64
import json
import pathlib
import socket
import struct

PIECE = 65536


class Proxy:
    def __init__(self, options):
        self.options = options
        self.mode = "ok"
        self.tunnels = self.refused = self.unauthorized = 0
        self.writers = set()
        self.server = None
        self.port = options.port

    async def listen(self):
        self.server = await asyncio.start_server(self.take, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def change(self, mode):
        if mode == "die" and self.server:
            self.server.close()
            self.server = None
            for writer in list(self.writers):
                writer.transport.abort()
        elif mode != "die" and not self.server:
            await self.listen()
        self.mode = mode

    async def take(self, reader, writer):
        self.writers.add(writer)
        try:
            if self.mode == "hang":
                await reader.read(-1)
                return
            handshake = self.connect if self.options.kind == "connect" else self.socks
            there = await handshake(reader, writer)
            if there:
                await self.tunnel(reader, writer, *there)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def dial(self, host, port):
        local = (self.options.bind, 0) if self.options.bind else None
        there = await asyncio.open_connection(host, port, local_addr=local)
        there[1].get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return there

    async def tunnel(self, reader, writer, there_reader, there_writer):
        self.tunnels += 1
        self.writers.add(there_writer)
        try:
            await asyncio.gather(self.pump(reader, there_writer), self.pump(there_reader, writer))
        finally:
            self.writers.discard(there_writer)
            there_writer.close()

    @staticmethod
    async def pump(source, sink):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()

    async def connect(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if line)}

        async def say(status):
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        if self.options.user:
            pair = f"{self.options.user}:{self.options.password}".encode()
            if fields.get("proxy-authorization") != "Basic " + base64.b64encode(pair).decode():
                self.unauthorized += 1
                return await say("407 Proxy Authentication Required")
        if method != "CONNECT" or self.mode != "ok":
            self.refused += 1
            return await say("403 Forbidden" if self.mode == "forbid" else "502 Bad Gateway")
        host, port = target.rsplit(":", 1)
        there = await self.dial(host.strip("[]"), int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return there

    async def socks(self, reader, writer):
        version, count = await reader.readexactly(2)
        offered = await reader.readexactly(count)
        wanted = 2 if self.options.user else 0
        if version != 5 or wanted not in offered:
            self.unauthorized += 1
            writer.write(b"\x05\xff")
            return None
        writer.write(bytes([5, wanted]))
        if wanted == 2 and not await self.may_pass(reader, writer):
            return None
        _, command, _, kind = await reader.readexactly(4)
        if kind == 1:
            host = socket.inet_ntop(socket.AF_INET, await reader.readexactly(4))
        elif kind == 4:
            host = socket.inet_ntop(socket.AF_INET6, await reader.readexactly(16))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port, = struct.unpack("!H", await reader.readexactly(2))
        answer = 2 if self.mode == "forbid" else 5 if self.mode != "ok" else 7 if command != 1 else 0
        there = None
        if answer == 0:
            there = await self.dial(host, port)
        else:
            self.refused += 1
        writer.write(bytes([5, answer, 0, 1]) + bytes(6))
        await writer.drain()
        return there

    async def may_pass(self, reader, writer):
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        right = (user.decode(), password.decode()) == (self.options.user, self.options.password)
        self.unauthorized += not right
        writer.write(bytes([1, 0 if right else 1]))
        await writer.drain()
        return right

    async def control(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if method == "POST":
            await self.change(path.strip("/"))
        body = json.dumps({"tunnels": self.tunnels, "open": len(self.writers) // 2, "refused": self.refused,
                           "unauthorized": self.unauthorized, "mode": self.mode}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()


async def serve(options):
    proxy = Proxy(options)
    await proxy.listen()
    control = await asyncio.start_server(proxy.control, "127.0.0.1", options.control_port)
    ports = f"{proxy.port} {control.sockets[0].getsockname()[1]}\n"
    if options.port_file:
        pathlib.Path(options.port_file).write_text(ports)
    print(ports, end="", flush=True)
    await control.serve_forever()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kind", choices=("connect", "socks5"), required=True)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--user", default="")
    arguments.add_argument("--password", default="")
    arguments.add_argument("--bind", default="")
    arguments.add_argument("--control-port", type=int, default=0)
    arguments.add_argument("--port-file", default="")
    asyncio.run(serve(arguments.parse_args()))


if __name__ == "__main__":
    main()
