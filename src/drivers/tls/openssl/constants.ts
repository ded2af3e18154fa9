/**
 * Numbers of OpenSSL's headers: `openssl/ssl.h`, `tls1.h`, `x509_vfy.h`, `x509v3.h`, `bio.h`. They are the same in all
 * of 3.x.
 */
export const SSL_CTRL_MODE = 33;
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
export const SSL_CTRL_SET_MAX_SEND_FRAGMENT = 52;
export const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
export const SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB = 72;
export const SSL_CTRL_CHAIN_CERT = 89;
export const SSL_CTRL_SET_GROUPS_LIST = 92;
export const SSL_CTRL_SET_SIGALGS_LIST = 98;
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
export const SSL_CTRL_SET_SPLIT_SEND_FRAGMENT = 125;

export const SSL_MODE_RELEASE_BUFFERS = 0x10;

export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

export const SSL_ERROR_WANT_READ = 2;
export const SSL_ERROR_ZERO_RETURN = 6;

/** That close_notify was sent, and that it has come. */
export const SSL_SENT_SHUTDOWN = 1;
export const SSL_RECEIVED_SHUTDOWN = 2;

export const SSL_TLSEXT_ERR_OK = 0;
export const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
export const TLSEXT_NAMETYPE_host_name = 0;

export const TLS1_2_VERSION = 0x0303;
export const TLS1_3_VERSION = 0x0304;

export const BIO_CTRL_RESET = 1;
export const BIO_C_SET_BUF_MEM = 114;
export const BIO_C_GET_BUF_MEM_PTR = 115;
export const BIO_C_SET_BUF_MEM_EOF_RETURN = 130;
export const BIO_NOCLOSE = 0;

export const X509_V_OK = 0;
export const X509_V_ERR_HOSTNAME_MISMATCH = 62;
export const X509_V_ERR_IP_ADDRESS_MISMATCH = 64;
export const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 0x4;
