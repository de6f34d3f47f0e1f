"""Certificates for 127.0.0.1, good and bad, made by openssl."""

import ssl
import subprocess
from pathlib import Path

BAD = ("expired", "self-signed", "wrong-host", "unknown-authority", "old-protocol")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.pem", "-days", "30", "-subj", f"/CN={name}")


def issue(folder: Path, name: str, by: str, address: str, *validity: str) -> None:
    (folder / f"{name}.ext").write_text(f"subjectAltName=IP:{address}\n")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.csr", "-subj", f"/CN={name}")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
            "-CAcreateserial", "-out", f"{name}.pem", "-extfile", f"{name}.ext", *validity)


def make(folder: Path) -> None:
    """Everything `context` needs, and `authority.pem`, which is to be trusted."""
    authority(folder, "authority")
    authority(folder, "stranger")
    issue(folder, "good", "authority", "127.0.0.1", "-days", "20")
    issue(folder, "old-protocol", "authority", "127.0.0.1", "-days", "20")
    issue(folder, "wrong-host", "authority", "192.0.2.1", "-days", "20")
    issue(folder, "unknown-authority", "stranger", "127.0.0.1", "-days", "20")
    # Debian's openssl x509 takes no dates; a negative number of days ends in the past.
    issue(folder, "expired", "authority", "127.0.0.1", "-days", "-1")
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self-signed.key",
            "-out", "self-signed.pem", "-days", "20", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1")


def context(folder: Path, kind: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / f"{kind}.pem", folder / f"{kind}.key")
    if kind == "old-protocol":
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made
