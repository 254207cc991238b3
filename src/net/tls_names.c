#include <mbedtls/oid.h>

#include "tls_priv.h"

#define SAN_ADDRESS 7	/* iPAddress (RFC 5280 4.2.1.6) */

static bool is_kind(const mbedtls_x509_sequence *san, int kind)
{
	return (san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == kind;
}

static struct str text_of(const mbedtls_x509_buf *b)
{
	return (struct str){ (const char *)b->p, b->len };
}

/* No names at all: the list's head is part of the certificate. */
static bool has_names(const mbedtls_x509_crt *cert)
{
	return cert->subject_alt_names.buf.p != NULL;
}

static struct str first_of_kind(const mbedtls_x509_crt *cert, int kind)
{
	const mbedtls_x509_sequence *san = &cert->subject_alt_names;

	if (!has_names(cert))
		return STR("");
	for (; san != NULL; san = san->next)
		if (is_kind(san, kind))
			return text_of(&san->buf);
	return STR("");
}

struct str tls_uri_of(const mbedtls_x509_crt *cert)
{
	return first_of_kind(cert,
			     MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER);
}

/* In one of the types that are ASCII or UTF-8. */
struct str tls_common_name_of(const mbedtls_x509_crt *cert)
{
	const mbedtls_x509_name *n = &cert->subject;

	for (; n != NULL; n = n->next)
		if (n->oid.p != NULL &&
		    MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0 &&
		    (n->val.tag == MBEDTLS_ASN1_UTF8_STRING ||
		     n->val.tag == MBEDTLS_ASN1_PRINTABLE_STRING ||
		     n->val.tag == MBEDTLS_ASN1_IA5_STRING))
			return text_of(&n->val);
	return STR("");
}

struct str tls_first_host(const mbedtls_x509_crt *cert)
{
	return has_names(cert) ?
		       first_of_kind(cert, MBEDTLS_X509_SAN_DNS_NAME) :
		       tls_common_name_of(cert);
}

/* A wildcard is the whole of the first label, and stands for one. */
static bool stands_for(struct str name, struct str host)
{
	struct str label, rest;

	if (!str_starts(name, STR("*.")))
		return host.len > 0 && str_ieq(name, host);
	return str_cut(host, '.', &label, &rest) && label.len > 0 &&
	       rest.len > 0 && str_ieq(str_skip(name, 2), rest);
}

bool tls_cert_is_for(const mbedtls_x509_crt *cert, struct str host)
{
	const mbedtls_x509_sequence *san = &cert->subject_alt_names;

	if (!has_names(cert))
		return stands_for(tls_common_name_of(cert), host);
	for (; san != NULL; san = san->next)
		if (is_kind(san, MBEDTLS_X509_SAN_DNS_NAME) &&
		    stands_for(text_of(&san->buf), host))
			return true;
	return false;
}

bool tls_cert_has_address(const mbedtls_x509_crt *cert,
			  const unsigned char *address, size_t len)
{
	const mbedtls_x509_sequence *san = &cert->subject_alt_names;

	if (!has_names(cert))
		return false;
	for (; san != NULL; san = san->next)
		if (is_kind(san, SAN_ADDRESS) && san->buf.len == len &&
		    memcmp(san->buf.p, address, len) == 0)
			return true;
	return false;
}
