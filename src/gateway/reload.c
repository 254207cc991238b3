#include "reload.h"

#include <stdlib.h>

#include "base/log.h"
#include "session.h"
#include "upgrade.h"
#include "verify.h"

struct reload {
	size_t count;			/* of contexts */
	struct verifier *verifier;	/* owned; or NULL */
	struct tls_context *contexts[];	/* owned; NULL: as it was */
};

static const struct gateway_listener_conf *
find_listener(const struct gateway_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->listener_count; i++)
		if (strcmp(conf->listeners[i].name, name) == 0)
			return &conf->listeners[i];
	return NULL;
}

/* A listener that is new, or that has TLS only now, takes a restart. */
static int make_contexts(struct reload *r, struct worker *w,
			 const struct gateway_conf *next)
{
	int err = 0;

	for (size_t i = 0; i < r->count && !err; i++) {
		const struct worker_listener *l = &w->listeners[i];
		const struct gateway_listener_conf *conf =
			find_listener(next, l->conf->name);

		if (l->tls != NULL && conf != NULL && conf->tls)
			err = worker_tls_context(&r->contexts[i], l, conf);
	}
	return err;
}

int reload_create(struct reload **out, struct worker *w,
		  const struct gateway_conf *next)
{
	size_t count = w->conf->listener_count;
	struct reload *r =
		calloc(1, sizeof(*r) + count * sizeof(r->contexts[0]));
	int err;

	if (r == NULL)
		return UV_ENOMEM;
	r->count = count;
	err = make_contexts(r, w, next);
	if (!err)
		err = worker_verifier(&r->verifier, w, next->credentials);
	if (err) {
		reload_destroy(r);
		return err;
	}
	*out = r;
	return 0;
}

void reload_destroy(struct reload *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		tls_context_destroy(r->contexts[i]);
	verifier_destroy(r->verifier);
	free(r);
}

static void swap_contexts(struct worker *w, struct reload *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->contexts[i] == NULL)
			continue;
		tls_context_destroy(w->listeners[i].tls);
		w->listeners[i].tls = r->contexts[i];
		r->contexts[i] = NULL;
	}
}

void reload_take(struct worker *w, struct reload *r)
{
	struct verifier *old = w->verifier;

	swap_contexts(w, r);
	w->verifier = r->verifier;
	r->verifier = NULL;
	upgrade_check_all(w);
	session_check_all(w);
	verifier_destroy(old);
	reload_destroy(r);
}
