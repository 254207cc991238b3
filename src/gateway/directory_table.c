#include <stdlib.h>

#include "directory_priv.h"
#include "m2m/json.h"

/* A CSE that dcse of a <remoteCSE> names. */
struct descendant {
	UT_hash_handle hh;		/* in descendants, by id */
	LIST_ENTRY(descendant) link;	/* in e's */
	struct entity *e;		/* borrowed: it is listed */
	size_t len;
	char id[];
};

static unsigned hash_of(const struct directory *d, struct str s)
{
	return table_hash_keyed(&d->key, s);
}

struct entity *table_find(const struct directory *d, struct str id)
{
	unsigned hash = hash_of(d, id);
	struct entity *e;

	HASH_FIND_BYHASHVALUE(by_id, d->by_id, id.p, id.len, hash, e);
	return e;
}

struct entity *table_find_token(const struct directory *d, struct str token)
{
	unsigned hash = hash_of(d, token);
	struct entity *e;

	HASH_FIND_BYHASHVALUE(by_token, d->by_token, token.p, token.len, hash,
			      e);
	return e;
}

/* ---- descendants ---- */

static struct descendant *find_descendant(const struct directory *d,
					  struct str id)
{
	unsigned hash = hash_of(d, id);
	struct descendant *it;

	HASH_FIND_BYHASHVALUE(hh, d->descendants, id.p, id.len, hash, it);
	return it;
}

struct entity *table_find_cse(const struct directory *d, struct str cse)
{
	struct entity *e = table_find(d, cse);
	struct descendant *it;

	if (e != NULL && e->is_cse)
		return e;
	it = find_descendant(d, cse);
	return it != NULL ? it->e : NULL;
}

static size_t descendant_size(const struct descendant *it)
{
	return sizeof(*it) + it->len;
}

void table_drop_descendants(struct directory *d, struct entity *e)
{
	struct descendant *it;

	while ((it = LIST_FIRST(&e->descendants)) != NULL) {
		LIST_REMOVE(it, link);
		HASH_DELETE(hh, d->descendants, it);
		d->counters.octets -= descendant_size(it);
		free(it);
	}
}

/* Without memory it is one that is not reached. */
static void add_descendant(struct directory *d, struct entity *e, struct str id)
{
	struct descendant *it = calloc(1, sizeof(*it) + id.len);
	unsigned hash = hash_of(d, id);

	if (it == NULL)
		return;
	it->e = e;
	it->len = id.len;
	memcpy(it->id, id.p, id.len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, d->descendants, it->id, it->len, hash,
				    it);
	if (table_added(&it->hh) != 0) {
		free(it);
		return;
	}
	LIST_INSERT_HEAD(&e->descendants, it, link);
	d->counters.octets += descendant_size(it);
}

/* The one text of the CSE that a member of dcse names; false: it names none
 * that others may speak for, least of all the CSE behind us. */
static bool read_member(struct buf *out, const struct directory *d,
			const struct jscan_value *member)
{
	const struct entity_home *home = d->conf.home;
	struct entity_id id;
	struct buf text = { 0 };
	bool is;

	if (member->type != JSCAN_STRING)
		return false;
	jscan_unescape(&text, jscan_inside(member));
	is = !text.failed && entity_id_read(&id, home, buf_str(&text)) &&
	     id.kind == ENTITY_CSE && !str_eq(id.cse, home->cse);
	buf_clear(out);
	if (is)
		entity_id_write(out, &id);
	buf_deinit(&text);
	return is && !out->failed;
}

#define DCSE_DEPTH 2

/* The first that announces a CSE keeps it: nobody takes another's. What is
 * left out is not reached, no more. */
static void add_descendants(struct directory *d, struct entity *e)
{
	struct jscan_value name, member;
	struct buf id = { 0 };
	struct jscan scan;
	unsigned count = 0;

	if (e->data.dcse.p == NULL)
		return;
	jscan_init(&scan, e->data.dcse, DCSE_DEPTH, UINT32_MAX);
	if (jscan_enter(&scan, JSCAN_ARRAY) != 0)
		return;
	for (bool first = true; jscan_next(&name, &member, &scan, first) == 1;
	     first = false) {
		if (count++ == d->conf.max_descendants) {
			d->counters.many_descendants++;
			break;
		}
		if (read_member(&id, d, &member) &&
		    find_descendant(d, buf_str(&id)) == NULL)
			add_descendant(d, e, buf_str(&id));
	}
	buf_deinit(&id);
}

/* ---- entities ---- */

static size_t entity_size(const struct entity *e)
{
	return sizeof(*e) + e->id.len + entity_data_size(&e->data);
}

int table_list(struct directory *d, struct entity *e)
{
	unsigned hash = hash_of(d, e->id);
	int err;

	HASH_ADD_KEYPTR_BYHASHVALUE(by_id, d->by_id, e->id.p, e->id.len, hash,
				    e);
	err = table_added(&e->by_id);
	if (err)
		return err;
	e->listed = true;
	entity_ref(e);
	d->counters.octets += entity_size(e);
	return 0;
}

struct entity *table_open(struct directory *d, struct str id, bool is_cse)
{
	struct entity *e = table_find(d, id);
	int err;

	if (e != NULL)
		return e;
	e = entity_new(id, is_cse);
	if (e == NULL)
		return NULL;
	err = table_list(d, e);
	entity_unref(e);
	return err ? NULL : e;
}

void table_unlist(struct directory *d, struct entity *e)
{
	if (!e->listed)
		return;
	table_drop_descendants(d, e);
	table_drop_token(d, e);
	HASH_DELETE(by_id, d->by_id, e);
	d->counters.octets -= entity_size(e);
	e->listed = false;
	entity_unref(e);
}

void table_drop_token(struct directory *d, struct entity *e)
{
	if (e->token[0] != '\0')
		HASH_DELETE(by_token, d->by_token, e);
	e->token[0] = '\0';
}

int table_set_token(struct directory *d, struct entity *e, struct str token)
{
	unsigned hash = hash_of(d, token);

	if (token.len != TOKEN_LEN || str_eq(str_of(e->token), token))
		return 0;
	table_drop_token(d, e);
	memcpy(e->token, token.p, TOKEN_LEN);
	e->token[TOKEN_LEN] = '\0';
	HASH_ADD_BYHASHVALUE(by_token, d->by_token, token, TOKEN_LEN, hash, e);
	if (table_added(&e->by_token) == 0)
		return 0;
	e->token[0] = '\0';
	return UV_ENOMEM;
}

void table_swap_data(struct directory *d, struct entity *e,
		     struct entity_data *data)
{
	struct entity_data old = e->data;

	table_drop_descendants(d, e);
	d->counters.octets -= entity_data_size(&old);
	d->counters.octets += entity_data_size(data);
	e->data = *data;
	*data = old;
	add_descendants(d, e);
}
