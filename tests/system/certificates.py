"""An authority of the test's own, and servers' certificates by it."""

import subprocess


def certificates(folder):
    """The authority's certificate, and key and certificate of 127.0.0.1 in one file, as Kafka and its
    clients want them. The key alone is `server.key`, the certificate `server.crt`."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-CAcreateserial", "-extfile", "names", "-out", "server.crt")
    (folder / "server.pem").write_text((folder / "server.key").read_text() +
                                       (folder / "server.crt").read_text())
    return folder / "ca.pem", folder / "server.pem"
