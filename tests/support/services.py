"""Real programs on host b of three_hosts.py, which scenarios talk to: nginx at port 80 and at a path, dnsmasq at port 53."""

import subprocess

from eventually import eventually

ADDRESS = "198.18.0.2"
PAGE = "Fetched through a socket on another host.\n"
# In one process, which changes no user: in a user namespace there is none but root.
NGINX = """
daemon off;
master_process off;
user root;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen {address}:80;
    listen unix:{directory}/web.sock;
    root {directory}/www;
  }}
}}
"""
# One name with as many texts as do not fit into a datagram of 512 bytes, so that the answer over UDP is cut.
BIG = [f"--txt-record=big.example,{letter * 200}" for letter in "abcd"]


def start_services(hosts):
    """They serve when this returns."""
    directory = hosts.directory
    (directory / "www").mkdir()
    (directory / "www" / "hello.txt").write_text(PAGE)
    (directory / "nginx.conf").write_text(NGINX.format(directory=directory, address=ADDRESS))
    hosts.start("b", "/usr/sbin/nginx", "-e", f"{directory}/nginx.log", "-c", f"{directory}/nginx.conf")
    dnsmasq = hosts.start("b", "/usr/sbin/dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--pid-file", "--no-resolv",
                          "--no-hosts", "--bind-interfaces", f"--listen-address={ADDRESS}", *BIG,
                          stderr=subprocess.PIPE, text=True)
    said = ""
    while "started" not in said:
        line = dnsmasq.stderr.readline()
        assert line, f"dnsmasq ended: {said}"
        said += line
    # It writes the file when it listens.
    eventually(lambda: (directory / "nginx.pid").exists() and (directory / "nginx.pid").read_text(),
               lambda: f"nginx: {(directory / 'nginx.log').read_text()}")
