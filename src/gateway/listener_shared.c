#include "listener_shared.h"

#include <stdlib.h>

#include "gateway/gateway.h"

int listener_shared_create(struct listener_shared **out,
			   const struct gateway_listener_conf *conf)
{
	struct listener_shared *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return UV_ENOMEM;
	s->name = strdup(conf->name);
	if (s->name == NULL) {
		free(s);
		return UV_ENOMEM;
	}
	s->addr = conf->addr;
	s->tls = conf->tls;
	s->fd = -1;
	*out = s;
	return 0;
}

void listener_shared_destroy(struct listener_shared *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s);
}

struct listener_shared *listener_shared_find(const struct listener_list *list,
					     const char *name)
{
	struct listener_shared *s;

	TAILQ_FOREACH(s, list, link)
		if (!s->retired && strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

uint64_t listener_shared_sessions(const struct listener_list *list)
{
	const struct listener_shared *s;
	uint64_t count = 0;

	TAILQ_FOREACH(s, list, link)
		count += atomic_load(&s->sessions);
	return count;
}

void listener_shared_sweep(struct listener_list *list)
{
	struct listener_shared *s, *next;

	for (s = TAILQ_FIRST(list); s != NULL; s = next) {
		next = TAILQ_NEXT(s, link);
		if (!s->retired || atomic_load(&s->holders) > 0)
			continue;
		TAILQ_REMOVE(list, s, link);
		listener_shared_destroy(s);
	}
}
