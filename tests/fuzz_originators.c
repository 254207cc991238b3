/*
 * Whatever the file of credentials holds: it is refused with a message, or
 * each of its credentials can be proved and allows somebody something.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *devnull;

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct credential_proof *p)
{
	struct str rest, one;

	need(p->name.len > 0 && p->credential->name[0] != '\0');
	need(p->kind == CREDENTIAL_CERTIFICATE ||
	     p->hash.count >= SECRET_COUNT_MIN);
	need(p->credential->originators.len +
		     p->credential->administrators.len > 0);
	rest = p->credential->originators;
	while (str_word(&one, &rest))
		need(credential_check_pattern(one) == NULL);
	rest = p->credential->administrators;
	while (str_word(&one, &rest))
		need(memchr(one.p, '*', one.len) == NULL);
}

static void check_all(const struct credential_set *set)
{
	for (size_t i = 0; i < CREDENTIAL_KINDS; i++)
		for (const struct credential_proof *p = set->proofs[i];
		     p != NULL; p = p->hh.next) {
			check(p);
			need(credential_set_find(set, p->kind, p->name) == p);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_source source = { .name = "fuzz",
					.text = (const char *)data,
					.len = size };
	struct config_load l = { .name = "fuzz" };

	if (devnull == NULL)
		devnull = fopen("/dev/null", "w");
	l.diag = devnull;
	l.conf = calloc(1, sizeof(*l.conf));
	l.store = calloc(1, sizeof(*l.store));
	need(l.conf != NULL && l.store != NULL);
	l.conf->store = l.store;
	STAILQ_INIT(&l.store->instances);
	SLIST_INIT(&l.store->memory);
	config_apply_originators(&l, &source);
	if (l.errors == 0)
		check_all(&l.store->credentials);
	config_destroy(l.conf);
	return 0;
}
