#include "directory_priv.h"

#include <stdlib.h>
#include <sys/random.h>

struct entity *directory_find(struct directory *d, struct str id)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = entity_ref(table_find(d, id));
	uv_mutex_unlock(&d->lock);
	return e;
}

struct entity *directory_find_token(struct directory *d, struct str token)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = entity_ref(table_find_token(d, token));
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

struct entity *directory_find_route(struct directory *d, struct str to)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = table_find(d, to);
	if (e == NULL && to.len > 0 && to.p[0] == '/')
		e = table_find_cse(d, cse_part(to));
	entity_ref(e);
	uv_mutex_unlock(&d->lock);
	return e;
}

struct entity *directory_open(struct directory *d, struct str id,
			      bool is_cse)
{
	struct entity *e;

	uv_mutex_lock(&d->lock);
	e = entity_ref(table_open(d, id, is_cse));
	uv_mutex_unlock(&d->lock);
	return e;
}

/* Nobody registered it, and no session stands for it. */
static void forget_idle(struct directory *d, struct entity *e)
{
	if (!e->registered && e->at.sid == 0)
		table_unlist(d, e);
}

void directory_close(struct directory *d, struct entity *e)
{
	if (e == NULL)
		return;
	uv_mutex_lock(&d->lock);
	forget_idle(d, e);
	uv_mutex_unlock(&d->lock);
	entity_unref(e);
}

void directory_set_limits(struct directory *d, size_t max_octets,
			  unsigned max_descendants)
{
	uv_mutex_lock(&d->lock);
	d->conf.max_octets = max_octets;
	d->conf.max_descendants = max_descendants;
	uv_mutex_unlock(&d->lock);
}

bool directory_has_room(struct directory *d, struct str id,
			const struct entity_data *data)
{
	size_t more = sizeof(struct entity) + id.len + entity_data_size(data);
	const struct entity *e;
	bool fits;

	uv_mutex_lock(&d->lock);
	e = table_find(d, id);
	if (e != NULL && e->registered)
		more = entity_data_size(data) > entity_data_size(&e->data) ?
			       entity_data_size(data) -
				       entity_data_size(&e->data) : 0;
	fits = more == 0 || d->counters.octets + more <= d->conf.max_octets;
	d->counters.full += !fits;
	uv_mutex_unlock(&d->lock);
	return fits;
}

struct entity *directory_register(struct directory *d, struct str id,
				  bool is_cse, struct str token,
				  const struct entity_data *data)
{
	struct entity_data fresh;	/* then what it replaces */
	struct entity *e;

	if (!entity_data_copy(&fresh, data))
		return NULL;
	uv_mutex_lock(&d->lock);
	e = table_open(d, id, is_cse);
	if (e != NULL && table_set_token(d, e, token) != 0) {
		forget_idle(d, e);
		e = NULL;
	}
	if (e != NULL) {
		table_swap_data(d, e, &fresh);
		d->counters.entities += !e->registered;
		e->registered = true;
	}
	entity_ref(e);
	uv_mutex_unlock(&d->lock);
	entity_data_free(&fresh);
	return e;
}

void directory_remove(struct directory *d, struct entity *e)
{
	uv_mutex_lock(&d->lock);
	if (e->registered) {
		e->registered = false;
		d->counters.entities--;
		table_drop_descendants(d, e);
		table_drop_token(d, e);
		forget_idle(d, e);
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

/* Names of virtual resources (TS-0004 6.8): behind an unstructured id they are
 * no child's. */
static bool is_virtual(struct str name)
{
	static const struct str names[] = {
		STR_INIT("la"), STR_INIT("ol"), STR_INIT("fopt"),
		STR_INIT("sfop"), STR_INIT("pcu"), STR_INIT("ntsr"),
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* BASE/rn, however the CSEBase is called. */
static bool is_named(struct directory *d, const struct entity *e,
		     struct str path)
{
	struct str base, rn;
	bool is;

	if (!str_cut(path, '/', &base, &rn) || is_virtual(rn))
		return false;
	uv_mutex_lock(&d->lock);
	is = e->data.rn.len > 0 && str_eq(rn, e->data.rn);
	uv_mutex_unlock(&d->lock);
	return is;
}

bool directory_is_target(struct directory *d, const struct entity *e,
			 struct str to)
{
	const struct entity_home *home = d->conf.home;
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

static int check_claim(const struct directory *d, const struct entity *e,
		       struct place at, enum strength strength)
{
	if (!e->listed && table_find(d, e->id) != NULL)
		return UV_EBUSY;	/* removed, and registered anew */
	if (e->at.sid == 0 || e->at.sid == at.sid)
		return 0;
	if (!e->registered && strength < STRENGTH_CREDENTIAL)
		return UV_EBUSY;	/* many may speak as an administrator */
	return e->strength > strength ? UV_EACCES : 0;
}

/* True: e had another session, or none. */
static bool move(struct directory *d, struct entity *e, struct place at,
		 enum strength strength, struct place *replaced)
{
	bool came = e->at.sid != at.sid;

	if (came && e->at.sid != 0) {
		d->counters.replaced++;
		*replaced = e->at;
	}
	d->counters.online += e->at.sid == 0;
	d->counters.came += came;
	if (came || e->strength < strength)
		e->strength = strength;
	e->at = at;
	return came;
}

int directory_claim(struct directory *d, struct entity *e, struct place at,
		    enum strength strength, struct place *replaced)
{
	bool came = false;
	int err;

	*replaced = (struct place){ 0 };
	uv_mutex_lock(&d->lock);
	err = check_claim(d, e, at, strength);
	d->counters.takeovers_refused += err == UV_EACCES;
	if (!err && !e->listed)
		err = table_list(d, e);
	if (!err)
		came = move(d, e, at, strength, replaced);
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
		forget_idle(d, e);
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

int directory_create(struct directory **out, const struct directory_conf *conf,
		     const struct directory_ops *ops, void *owner)
{
	struct directory *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return UV_ENOMEM;
	d->conf = *conf;
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
	if (d == NULL)
		return;
	while (d->by_id != NULL)
		table_unlist(d, d->by_id);
	uv_mutex_destroy(&d->lock);
	free(d);
}
