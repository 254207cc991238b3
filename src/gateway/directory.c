#include "directory.h"

#include <stdlib.h>
#include <sys/random.h>

#include "m2m/json.h"

/* A CSE that dcse of a <remoteCSE> names. */
struct descendant {
	struct str id;			/* owned */
	struct entity *e;		/* borrowed: it is listed */
	UT_hash_handle hh;
};

struct directory {
	const struct entity_home *home;		/* borrowed, as ops */
	const struct directory_ops *ops;
	void *owner;
	struct siphash_key key;
	uv_mutex_t lock;
	struct entity *by_id, *by_token;	/* a reference for by_id */
	struct descendant *descendants;
	struct directory_counters counters;
};

/* ---- text that is owned ---- */

static struct str text_copy(struct str s)
{
	char *p = malloc(s.len + 1);

	if (p == NULL)
		return (struct str){ NULL, 0 };
	memcpy(p, s.len > 0 ? s.p : "", s.len);
	p[s.len] = '\0';
	return (struct str){ p, s.len };
}

static void text_free(struct str *s)
{
	free((char *)s->p);
	*s = (struct str){ NULL, 0 };
}

/* False: no memory, and *to is as it was. */
static bool text_set(struct str *to, struct str from)
{
	struct str copy = { NULL, 0 };

	if (from.p != NULL) {
		copy = text_copy(from);
		if (copy.p == NULL)
			return false;
	}
	text_free(to);
	*to = copy;
	return true;
}

/* ---- entities ---- */

static struct entity *entity_new(struct str id, bool is_cse)
{
	struct entity *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->id = text_copy(id);
	if (e->id.p == NULL) {
		free(e);
		return NULL;
	}
	e->is_cse = is_cse;
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
	text_free(&e->data.rn);
	text_free(&e->data.poa.poa);
	text_free(&e->data.dcse);
	free(e);
}

/* ---- tables; the lock is held ---- */

static unsigned hash_of(const struct directory *d, struct str s)
{
	return (unsigned)siphash(&d->key, s);
}

static struct entity *find_id(const struct directory *d, struct str id)
{
	struct entity *e;

	HASH_FIND_BYHASHVALUE(by_id, d->by_id, id.p, id.len, hash_of(d, id),
			      e);
	return e;
}

static struct entity *find_token(const struct directory *d, struct str token)
{
	struct entity *e;

	HASH_FIND_BYHASHVALUE(by_token, d->by_token, token.p, token.len,
			      hash_of(d, token), e);
	return e;
}

static void list(struct directory *d, struct entity *e)
{
	HASH_ADD_KEYPTR_BYHASHVALUE(by_id, d->by_id, e->id.p, e->id.len,
				    hash_of(d, e->id), e);
	e->listed = true;
}

static void drop_token(struct directory *d, struct entity *e)
{
	if (e->token[0] != '\0')
		HASH_DELETE(by_token, d->by_token, e);
	e->token[0] = '\0';
}

static void drop_descendants(struct directory *d, const struct entity *e)
{
	struct descendant *it, *next;

	if (e->data.dcse.p == NULL)
		return;
	HASH_ITER(hh, d->descendants, it, next) {
		if (it->e != e)
			continue;
		HASH_DELETE(hh, d->descendants, it);
		text_free(&it->id);
		free(it);
	}
}

/* The first that announces a CSE keeps it: nobody takes another's, and least of
 * all that of the CSE behind us, whose AEs it would speak for. */
static void add_descendant(struct directory *d, struct entity *e, struct str id)
{
	struct entity_id parts;
	struct descendant *it;

	if (!entity_id_read(&parts, d->home, id) || parts.kind != ENTITY_CSE ||
	    str_eq(parts.cse, d->home->cse))
		return;

	HASH_FIND_BYHASHVALUE(hh, d->descendants, id.p, id.len,
			      hash_of(d, id), it);
	if (it != NULL)
		return;
	it = calloc(1, sizeof(*it));
	if (it == NULL)
		return;
	it->id = text_copy(id);
	it->e = e;
	if (it->id.p == NULL) {
		free(it);
		return;
	}
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, d->descendants, it->id.p, it->id.len,
				    hash_of(d, id), it);
}

#define DCSE_DEPTH 2

static void add_descendants(struct directory *d, struct entity *e)
{
	struct jscan_value name, id;
	struct buf text = { 0 };
	struct jscan scan;

	if (e->data.dcse.p == NULL)
		return;
	jscan_init(&scan, e->data.dcse, DCSE_DEPTH, 1 << 16);
	if (jscan_enter(&scan, JSCAN_ARRAY) != 0)
		return;
	for (bool first = true; jscan_next(&name, &id, &scan, first) == 1;
	     first = false) {
		if (id.type != JSCAN_STRING)
			continue;
		buf_clear(&text);
		jscan_unescape(&text, jscan_inside(&id));
		if (!text.failed)
			add_descendant(d, e, buf_str(&text));
	}
	buf_deinit(&text);
}

/* The directory's reference goes too. */
static void unlist(struct directory *d, struct entity *e)
{
	if (!e->listed)
		return;
	drop_descendants(d, e);
	drop_token(d, e);
	HASH_DELETE(by_id, d->by_id, e);
	e->listed = false;
	entity_unref(e);
}

static bool set_data(struct directory *d, struct entity *e,
		     const struct entity_data *data)
{
	drop_descendants(d, e);
	if (!text_set(&e->data.rn, data->rn) ||
	    !text_set(&e->data.poa.poa, data->poa.poa) ||
	    !text_set(&e->data.dcse, data->dcse))
		return false;
	e->data.poa.known = data->poa.known;
	e->data.poa.routed = data->poa.routed;
	e->data.poa.rr = data->poa.rr;
	add_descendants(d, e);
	return true;
}

static void set_token(struct directory *d, struct entity *e, struct str token)
{
	if (token.len != TOKEN_LEN || str_eq(str_of(e->token), token))
		return;
	drop_token(d, e);
	memcpy(e->token, token.p, TOKEN_LEN);
	e->token[TOKEN_LEN] = '\0';
	HASH_ADD_KEYPTR_BYHASHVALUE(by_token, d->by_token, e->token, TOKEN_LEN,
				    hash_of(d, token), e);
}

/* Listed already, or new; without a reference. */
static struct entity *open_entity(struct directory *d, struct str id,
				  bool is_cse)
{
	struct entity *e = find_id(d, id);

	if (e == NULL) {
		e = entity_new(id, is_cse);
		if (e != NULL)
			list(d, e);
	}
	return e;
}

/* ---- the interface ---- */

struct entity *directory_find(struct directory *d, struct str id)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = entity_ref(find_id(d, id));
	uv_mutex_unlock(&d->lock);
	return e;
}

struct entity *directory_find_token(struct directory *d, struct str token)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = entity_ref(find_token(d, token));
	uv_mutex_unlock(&d->lock);
	return e;
}

/* `/mn-cse7` of `/mn-cse7/Cabc`; all of it where nothing follows. */
static struct str cse_part(struct str to)
{
	size_t n = to.len > 0 ? 1 : 0;

	while (n < to.len && to.p[n] != '/')
		n++;
	return (struct str){ to.p, n };
}

static struct entity *find_cse(const struct directory *d, struct str cse)
{
	struct entity *e = find_id(d, cse);
	struct descendant *it;

	if (e != NULL && e->is_cse)
		return e;
	HASH_FIND_BYHASHVALUE(hh, d->descendants, cse.p, cse.len,
			      hash_of(d, cse), it);
	return it != NULL ? it->e : NULL;
}

struct entity *directory_find_route(struct directory *d, struct str to)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = find_id(d, to);
	if (e == NULL && to.len > 0 && to.p[0] == '/')
		e = find_cse(d, cse_part(to));
	entity_ref(e);
	uv_mutex_unlock(&d->lock);
	return e;
}

struct entity *directory_open(struct directory *d, struct str id,
			      bool is_cse)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = entity_ref(open_entity(d, id, is_cse));
	uv_mutex_unlock(&d->lock);
	return e;
}

struct entity *directory_register(struct directory *d, struct str id,
				  bool is_cse, struct str token,
				  const struct entity_data *data)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = open_entity(d, id, is_cse);
	if (e != NULL && !set_data(d, e, data)) {
		if (!e->registered && e->at.sid == 0)
			unlist(d, e);
		e = NULL;
	}
	if (e != NULL) {
		set_token(d, e, token);
		d->counters.entities += !e->registered;
		e->registered = true;
	}
	entity_ref(e);
	uv_mutex_unlock(&d->lock);
	return e;
}

void directory_remove(struct directory *d, struct entity *e)
{
	uv_mutex_lock(&d->lock);
	if (e->registered) {
		e->registered = false;
		d->counters.entities--;
		drop_descendants(d, e);
		drop_token(d, e);
		if (e->at.sid == 0)
			unlist(d, e);
	}
	uv_mutex_unlock(&d->lock);
}

static struct str keep(struct buf *store, struct str s)
{
	size_t at = store->len;

	if (s.p == NULL)
		return s;
	buf_add_str(store, s);
	return (struct str){ store->p + at, s.len };
}

bool directory_read(struct entity_data *out, struct buf *store,
		    struct directory *d, const struct entity *e)
{
	const struct entity_data *data = &e->data;
	bool registered;

	buf_clear(store);
	uv_mutex_lock(&d->lock);
	registered = e->registered &&
		     buf_reserve(store, data->rn.len + data->poa.poa.len +
						data->dcse.len + 1);
	if (registered) {
		*out = *data;
		out->rn = keep(store, data->rn);
		out->poa.poa = keep(store, data->poa.poa);
		out->dcse = keep(store, data->dcse);
	}
	uv_mutex_unlock(&d->lock);
	return registered;
}

bool directory_token(struct directory *d, const struct entity *e,
		     char out[TOKEN_LEN + 1])
{
	uv_mutex_lock(&d->lock);
	memcpy(out, e->token, TOKEN_LEN + 1);
	uv_mutex_unlock(&d->lock);
	return out[0] != '\0';
}

bool directory_is_registered(struct directory *d, const struct entity *e)
{
	bool registered;

	uv_mutex_lock(&d->lock);
	registered = e->registered;
	uv_mutex_unlock(&d->lock);
	return registered;
}

static bool is_named(struct directory *d, const struct entity *e,
		     struct str path)
{
	struct str base, rn;
	bool is;

	if (!str_cut(path, '/', &base, &rn))
		return false;
	uv_mutex_lock(&d->lock);
	is = e->data.rn.len > 0 && str_eq(rn, e->data.rn);
	uv_mutex_unlock(&d->lock);
	return is;
}

bool directory_is_target(struct directory *d, const struct entity *e,
			 const struct entity_home *home, struct str to)
{
	struct entity_id id, own;
	struct str ri;

	if (!entity_id_read(&id, home, to) ||
	    !entity_id_read(&own, home, e->id) ||
	    (id.cse.len > 0 && !str_eq(id.cse, home->cse)))
		return false;
	/* a <remoteCSE> has the CSE-ID for a resource id, without slash */
	ri = own.path.len > 0 ? own.path : str_skip(e->id, 1);
	return str_eq(id.path, ri) || is_named(d, e, id.path);
}

struct place directory_place(struct directory *d, const struct entity *e)
{
	struct place at;

	uv_mutex_lock(&d->lock);
	at = e->at;
	uv_mutex_unlock(&d->lock);
	return at;
}

int directory_claim(struct directory *d, struct entity *e, struct place at,
		    enum strength strength, struct place *replaced)
{
	bool came = false;
	int err = 0;

	*replaced = (struct place){ 0 };
	uv_mutex_lock(&d->lock);
	if (e->at.sid != 0 && e->at.sid != at.sid) {
		if (!e->registered) {
			/* many may speak as an administrator */
			err = UV_EBUSY;
		} else if (e->strength > strength) {
			d->counters.takeovers_refused++;
			err = UV_EACCES;
		} else {
			d->counters.replaced++;
			*replaced = e->at;
		}
	}
	if (!err) {
		came = e->at.sid != at.sid;
		d->counters.online += e->at.sid == 0;
		d->counters.came += came;
		if (e->at.sid != at.sid || e->strength < strength)
			e->strength = strength;
		e->at = at;
		if (!e->listed) {
			list(d, e);
			entity_ref(e);
		}
	}
	uv_mutex_unlock(&d->lock);
	if (came && d->ops != NULL)
		d->ops->on_online(d->owner, e, at);
	return err;
}

bool directory_may_claim(struct directory *d, const struct entity *e,
			 enum strength strength)
{
	bool may;

	uv_mutex_lock(&d->lock);
	may = e->at.sid == 0 || e->strength <= strength;
	uv_mutex_unlock(&d->lock);
	return may;
}

void directory_leave(struct directory *d, struct entity *e, struct place at)
{
	bool went;

	uv_mutex_lock(&d->lock);
	went = e->at.sid == at.sid && at.sid != 0;
	if (went) {
		e->at = (struct place){ 0 };
		e->strength = STRENGTH_NONE;
		d->counters.online--;
		d->counters.went++;
		if (!e->registered)
			unlist(d, e);
	}
	uv_mutex_unlock(&d->lock);
	if (went && d->ops != NULL)
		d->ops->on_offline(d->owner, e, at);
}

int directory_make_token(char out[TOKEN_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char chance[TOKEN_LEN / 2];

	if (getrandom(chance, sizeof(chance), 0) != sizeof(chance))
		return UV_EIO;
	for (size_t i = 0; i < sizeof(chance); i++) {
		out[2 * i] = digits[chance[i] >> 4];
		out[2 * i + 1] = digits[chance[i] & 15];
	}
	out[TOKEN_LEN] = '\0';
	return 0;
}

struct directory_counters directory_counters(struct directory *d)
{
	struct directory_counters c;

	uv_mutex_lock(&d->lock);
	c = d->counters;
	uv_mutex_unlock(&d->lock);
	return c;
}

int directory_create(struct directory **out, const struct entity_home *home,
		     const struct directory_ops *ops, void *owner)
{
	struct directory *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return UV_ENOMEM;
	d->home = home;
	d->ops = ops;
	d->owner = owner;
	err = siphash_key_random(&d->key);
	if (!err)
		err = uv_mutex_init(&d->lock);
	if (err)
		free(d);
	else
		*out = d;
	return err;
}

void directory_destroy(struct directory *d)
{
	struct entity *e, *next;

	if (d == NULL)
		return;
	HASH_ITER(by_id, d->by_id, e, next)
		unlist(d, e);
	uv_mutex_destroy(&d->lock);
	free(d);
}
