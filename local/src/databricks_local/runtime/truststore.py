"""Give a packaged Java the certificate authorities that this machine trusts.

A Java runtime brings its own list, which knows nothing of a company's or a proxy's authority;
Python's side of the machine (pip, requests, OpenSSL) is usually configured already.
"""

from __future__ import annotations

import os
import re
import ssl
import warnings
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.utils import CryptographyDeprecationWarning

from databricks_local.runtime.cache import RuntimeSetupError

# Java's customary one; it guards nothing, certificates are public.
TRUST_STORE_PASSWORD = "changeit"

_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def authority_bundle() -> Path:
    """Return the PEM file of authorities: the environment's, else OpenSSL's, else certifi's.

    Raises:
        RuntimeSetupError: a variable names a file that does not exist.
    """
    for variable in _BUNDLE_VARIABLES:
        named = os.environ.get(variable)
        if named:
            if not Path(named).is_file():
                raise RuntimeSetupError(f"{variable} names {named}, which is not a file: mend or unset it.")
            return Path(named)
    default = ssl.get_default_verify_paths().cafile
    return Path(default) if default and Path(default).is_file() else Path(certifi.where())


def write_trust_store(path: Path) -> int:
    """Write the machine's authorities as a PKCS#12 trust store and return how many there are.

    Raises:
        RuntimeSetupError: the bundle holds no readable certificate.
    """
    bundle = authority_bundle()
    certificates = []
    with warnings.catch_warnings():
        # Old roots in common bundles have serial numbers that RFC 5280 forbids: cryptography warns
        # of them today and will refuse them in time.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for block in _CERTIFICATE.findall(bundle.read_bytes()):
            try:
                certificates.append(x509.load_pem_x509_certificate(block))
            except ValueError:
                continue
    if not certificates:
        raise RuntimeSetupError(f"{bundle} holds no certificate in PEM form: set SSL_CERT_FILE to a bundle.")
    entries = [
        pkcs12.PKCS12Certificate(certificate, str(number).encode()) for number, certificate in enumerate(certificates)
    ]
    path.write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(TRUST_STORE_PASSWORD.encode())))
    return len(entries)
