"""Scenarios: whom a forwarder talks to, and how."""

import socket
import subprocess
import time

import certificates
from mock import Mock
from world import REPOSITORY, World, check, scenario


@scenario
def http2(world: World, long: bool) -> str:
    """Over TLS, HTTP/2 is spoken, on connections that are used again."""
    certificates.make(world.folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (world.folder / "nginx.conf").write_text(NGINX.format(
        folder=world.folder, port=port, mock=world.mock.port))
    nginx = subprocess.Popen(["nginx", "-p", str(world.folder), "-c", "nginx.conf"])
    try:
        world.destination("shop", "meta", endpoint=f"https://127.0.0.1:{port}",
                          authorities=str(world.folder / "authority.pem"))
        world.add(1_000)
        world.start()
        world.settled(1_000, 60)
    finally:
        nginx.terminate()
        nginx.wait()
    lines = [line.split() for line in (world.folder / "access.log").read_text().splitlines()]
    check({line[0] for line in lines} == {"HTTP/2.0"}, f"{lines[:3]}")
    connections = len({line[1] for line in lines})
    check(connections <= 4 < len(lines), f"{len(lines)} requests on {connections} connections")
    return f"{len(lines)} requests of HTTP/2 on {connections} connections"


NGINX = """daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.error;
worker_processes 1; events {{ worker_connections 64; }}
http {{
    log_format kind '$server_protocol $connection'; access_log {folder}/access.log kind;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
        location / {{ proxy_pass http://127.0.0.1:{mock}; proxy_http_version 1.1; }}
    }}
}}
"""


@scenario
def bad_certificates(world: World, long: bool) -> str:
    """Whoever cannot prove who he is hears nothing, and nothing is lost by that."""
    certificates.make(world.folder)
    refused = []
    for kind in certificates.BAD:
        mock = Mock(tls=certificates.context(world.folder, kind))
        site = f"site-{kind}"
        world.destination(site, "meta", endpoint=f"https://127.0.0.1:{mock.port}",
                          authorities=str(world.folder / "authority.pem"))
        world.add(3, site, prefix=kind)
        refused.append((kind, site, mock))
    good = Mock(tls=certificates.context(world.folder, "good"))
    world.destination("site-good", "meta", endpoint=f"https://127.0.0.1:{good.port}",
                      authorities=str(world.folder / "authority.pem"))
    world.add(3, "site-good", prefix="good")
    world.start()
    world.wait(lambda: world.states(site="site-good") == {"delivered": 3}, 30, "the good one served")
    world.wait(lambda: all(mock.connections for _, _, mock in refused), 30, "a try of each")
    time.sleep(3)
    for kind, site, mock in refused:
        check(not mock.requests, f"{kind}: a request was sent")
        kept = {"pending", "retry", "sending"}
        check(set(world.states(site=site)) <= kept, f"{kind}: {world.states(site=site)}")
        check(world.ask("SELECT sum(doubts)::int FROM heliograph.delivery WHERE site = %s", site)
              == [(0,)], f"{kind}: doubts though nothing was sent")
    check(all(one.secure for one in good.requests), "the good one was told in the clear")
    return f"{', '.join(certificates.BAD)}: 0 requests, all kept; the good one served"


@scenario
def private_addresses(world: World, long: bool) -> str:
    """A name that leads to this machine or its network is not connected to, whenever it does."""
    shim = world.folder / "resolver.so"
    source = REPOSITORY / "Tests/Delivery/resolver_shim.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(shim), str(source)], check=True)
    canary = Mock(port=8443)
    names = ["v4-loopback", "v4-mapped", "v6-loopback", "v4-private", "v4-metadata", "v6-local",
             "rebinding"]
    for name in names:
        world.destination("shop", name, kind="webhook", url=f"https://{name}.example:8443/hook",
                          secret={"file": str(world.folder / "secret")})
    world.add(1, names=tuple(names))
    world.start(LD_PRELOAD=str(shim))
    world.wait(lambda: world.ask("""SELECT 1 FROM heliograph.delivery
        HAVING min(attempts) >= 1"""), 60, "a try of each")
    check(canary.connections == 0, f"{canary.connections} connections to this machine")
    check(set(state for (state,) in world.ask("SELECT DISTINCT state FROM heliograph.delivery"))
          <= {"retry", "sending"}, "something was delivered")
    canary.close()
    return f"{len(names)} names: 0 connections"
