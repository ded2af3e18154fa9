#!/bin/sh
# Makes the certificates that the examples name, for trying them on this machine: config/certs/, valid 30 days.
set -eu
cd "$(dirname "$0")"
mkdir -p certs
cd certs

# An authority of its own for clients, and one that signs the servers.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$2" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

# certificate FILE AUTHORITY COMMON-NAME EXTENSION
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf '%s\n' "$4" | openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 30 \
    -extfile /dev/stdin -out "$1.pem" 2>/dev/null
  rm "$1.csr"
}

authority ca "sluice example authority"
authority clients "sluice example clients"
certificate a ca a.example.com subjectAltName=DNS:a.example.com,DNS:localhost,IP:127.0.0.1
certificate b ca b.example.com 'subjectAltName=DNS:b.example.com,DNS:*.b.example.com'
certificate backend ca app.internal subjectAltName=DNS:app.internal
certificate client clients alice extendedKeyUsage=clientAuth
