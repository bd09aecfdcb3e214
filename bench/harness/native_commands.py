"""The command lines of the servers without Python, and their configuration files."""

from __future__ import annotations

from harness.target import BACKLOG, KEEP_ALIVE_S, Target


def raw_answer(target: Target) -> list[str]:
    return [str(target.build / "bench" / "raw_answer"), str(target.port)]


def api_door(target: Target) -> list[str]:
    return [str(target.build / "bench" / "api_door"), str(target.port)]


def tercel_cpp(target: Target) -> list[str]:
    program = str(target.build / "examples" / "cpp" / "example_hello")
    files = [target.certificate, target.key] if target.needs.tls else []
    return [program, str(target.port), *files]


_NGINX = """\
daemon off;
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {scratch}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 16384; multi_accept on; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_timeout {keep_alive_s}s;
  client_body_temp_path {scratch}/nginx; proxy_temp_path {scratch}/nginx;
  fastcgi_temp_path {scratch}/nginx; uwsgi_temp_path {scratch}/nginx;
  scgi_temp_path {scratch}/nginx;
  client_max_body_size 0;
  {outside}
  server {{
    listen 127.0.0.1:{port} backlog={backlog}{options};
    {tls}
    default_type application/json;
    location / {{ {location} }}
  }}
}}
"""


def nginx(target: Target) -> list[str]:
    return nginx_with(target, """return 200 '{"message":"Hello"}';""")


def nginx_with(target: Target, location: str, outside: str = "") -> list[str]:
    """Returns the command of nginx with one worker, or one for each thread that is asked for.

    Args:
        location: what it does with every request.
        outside: what that needs beside the server.
    """
    path = target.scratch / "nginx.conf"
    needs = target.needs
    files = f"ssl_certificate {target.certificate}; ssl_certificate_key {target.key};"
    path.write_text(
        _NGINX.format(
            scratch=target.scratch,
            workers=needs.threads or 1,
            keep_alive_s=KEEP_ALIVE_S,
            port=target.port,
            backlog=BACKLOG,
            options=" ssl" * needs.tls + " http2" * needs.http2,
            tls=f"ssl_protocols TLSv1.2 TLSv1.3; {files}" if needs.tls else "",
            location=location,
            outside=outside,
        )
    )
    return ["nginx", "-c", str(path)]


_H2O = """\
user: root
num-threads: 1
max-connections: {backlog}
http1-request-timeout: {keep_alive_s}
listen:
  host: 127.0.0.1
  port: {port}{tls}
hosts:
  default:
    paths:
      "/":
        file.file: {scratch}/hello.json
    file.etag: OFF
    file.mime.addtypes: {{"application/json": ".json"}}
"""


def h2o(target: Target) -> list[str]:
    (target.scratch / "hello.json").write_bytes(b'{"message":"Hello"}')
    path = target.scratch / "h2o.yaml"
    files = f"\n  ssl:\n    certificate-file: {target.certificate}\n    key-file: {target.key}"
    path.write_text(
        _H2O.format(
            scratch=target.scratch,
            keep_alive_s=KEEP_ALIVE_S,
            port=target.port,
            backlog=BACKLOG,
            tls=files if target.needs.tls else "",
        )
    )
    return ["h2o", "-c", str(path)]


def uwebsockets(target: Target) -> list[str]:
    return [str(target.build / "bench" / "uwebsockets"), str(target.port)]


def nghttpd(target: Target) -> list[str]:
    (target.scratch / "index.html").write_bytes(b'{"message":"Hello"}')
    return [
        *("nghttpd", "--no-tls", "-n", "1", "-a", "127.0.0.1", "-d", str(target.scratch)),
        str(target.port),
    ]
