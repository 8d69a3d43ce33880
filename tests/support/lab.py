"""Certificates for tests, made by the command openssl: with any names and any time of validity, also wrong ones."""

import datetime
import pathlib
import subprocess

CONFIG = """
[ca]
default_ca = lab
[lab]
new_certs_dir = {directory}
database = {directory}/{name}.index
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
copy_extensions = copy
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[req]
distinguished_name = none
prompt = no
[none]
"""


def _openssl(*arguments):
    run = subprocess.run(["/usr/bin/openssl", *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def _text(time):
    return time.strftime("%Y%m%d%H%M%SZ")


class Pair:
    """A certificate and its key, as files."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key

    def read(self):
        return self.cert.read_bytes(), self.key.read_bytes()


class Authority:
    """A CA in a directory, its own root or below an `issuer`. `begin` and `end` are seconds from now."""

    def __init__(self, directory, name="ca", issuer=None):
        self.directory = pathlib.Path(directory)
        self._name = name
        self._config = self.directory / f"{name}.cnf"
        self._config.write_text(CONFIG.format(directory=self.directory, name=name))
        (self.directory / f"{name}.index").write_text("")
        self.cert, self._key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        if issuer:
            issuer.issue(name, kind="root")
            return
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-config", self._config, "-extensions", "root", "-subj", f"/CN={name}", "-keyout", self._key,
                 "-out", self.cert)

    def issue(self, name, san=None, begin=-3600, end=86_400, usage=None, kind="leaf",
              key_kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """`san` and `usage` as OpenSSL writes them, "URI:spiffe://lab/a, DNS:b", "clientAuth"; None: none at all."""
        cert, key, request = (self.directory / f"{name}.{suffix}" for suffix in ["pem", "key", "csr"])
        extension = ["-addext", f"subjectAltName={san}"] if san else []
        extension += ["-addext", f"extendedKeyUsage={usage}"] if usage else []
        _openssl("req", "-new", "-newkey", *key_kind, "-nodes", "-config",
                 self._config, "-subj", f"/CN={name[:60]}", *extension, "-keyout", key, "-out", request)
        now = datetime.datetime.now(datetime.timezone.utc)
        _openssl("ca", "-batch", "-notext", "-config", self._config, "-name", "lab", "-extensions", kind, "-cert", self.cert, "-keyfile",
                 self._key, "-startdate", _text(now + datetime.timedelta(seconds=begin)), "-enddate",
                 _text(now + datetime.timedelta(seconds=end)), "-in", request, "-out", cert)
        return Pair(cert, key)

    def server(self, name="daemon", san="DNS:localhost, IP:127.0.0.1, IP:::1", **options):
        return self.issue(name, san, **options)

    def client(self, name="agent", san=None, **times):
        return self.issue(name, san or f"URI:spiffe://lab/{name}", **times)
