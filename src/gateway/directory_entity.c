#include <stdlib.h>

#include "directory_priv.h"

/* False: no memory. */
static bool text_copy(struct str *to, struct str from)
{
	char *p;

	*to = (struct str){ NULL, 0 };
	if (from.p == NULL)
		return true;
	p = malloc(from.len + 1);
	if (p == NULL)
		return false;
	memcpy(p, from.p, from.len);
	p[from.len] = '\0';
	*to = (struct str){ p, from.len };
	return true;
}

static void text_free(struct str *s)
{
	free((char *)s->p);
	*s = (struct str){ NULL, 0 };
}

bool entity_data_copy(struct entity_data *to, const struct entity_data *from)
{
	bool rn, poa, dcse;

	*to = *from;
	/* all three, so that each is ours or empty */
	rn = text_copy(&to->rn, from->rn);
	poa = text_copy(&to->poa.poa, from->poa.poa);
	dcse = text_copy(&to->dcse, from->dcse);
	if (rn && poa && dcse)
		return true;
	entity_data_free(to);
	return false;
}

void entity_data_free(struct entity_data *data)
{
	text_free(&data->rn);
	text_free(&data->poa.poa);
	text_free(&data->dcse);
}

size_t entity_data_size(const struct entity_data *data)
{
	return data->rn.len + data->poa.poa.len + data->dcse.len;
}

struct entity *entity_new(struct str id, bool is_cse)
{
	struct entity *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	if (!text_copy(&e->id, id)) {
		free(e);
		return NULL;
	}
	e->is_cse = is_cse;
	LIST_INIT(&e->descendants);
	atomic_init(&e->refs, 1);
	return e;
}

struct entity *entity_ref(struct entity *e)
{
	if (e != NULL)
		atomic_fetch_add(&e->refs, 1);
	return e;
}

void entity_unref(struct entity *e)
{
	if (e == NULL || atomic_fetch_sub(&e->refs, 1) > 1)
		return;
	text_free(&e->id);
	entity_data_free(&e->data);
	free(e);
}
