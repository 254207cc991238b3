#include <assert.h>

#include "m2m/entity_id.h"

/* The one text of an id stands for itself, in each form that it may take, and
 * a path is never longer than what it was made of. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct entity_home homes[] = {
	{ STR_INIT(""), STR_INIT("") },
	{ STR_INIT("id-in"), STR_INIT("") },
	{ STR_INIT("id-in"), STR_INIT("sp.org") },
	{ STR_INIT("Sx"), STR_INIT("sp.org") },
};

static void check_same(const struct entity_home *home, struct str id,
		       struct str want)
{
	struct buf text = { 0 };
	bool ok = entity_id_canonicalise(&text, home, id);

	assert(ok && str_eq(buf_str(&text), want));
	buf_deinit(&text);
}

static void check_id(const struct entity_home *home, struct str id)
{
	struct buf text = { 0 }, absolute = { 0 };
	struct entity_id got;

	if (!entity_id_read(&got, home, id))
		return;
	entity_id_write(&text, &got);
	assert(text.len <= ENTITY_ID_MAX);
	assert((entity_id_stem(&got).len > 0) ==
	       (got.kind == ENTITY_AE || got.kind == ENTITY_REMOTE_AE));
	check_same(home, buf_str(&text), buf_str(&text));
	if (home->sp.len > 0 && got.sp.len == 0) {
		buf_add_lit(&absolute, "//");
		buf_add_str(&absolute, home->sp);
		buf_add_str(&absolute, buf_str(&text));
		if (absolute.len <= ENTITY_ID_MAX)
			check_same(home, buf_str(&absolute), buf_str(&text));
	}
	assert(!entity_id_is_under(STR("/id-in"), buf_str(&text)) ||
	       str_starts(buf_str(&text), STR("/id-in")));
	buf_deinit(&text);
	buf_deinit(&absolute);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size }, sp, rest;
	struct entity_home home;
	struct buf id = { 0 };
	bool decoded = entity_id_from_path(&id, text);

	assert(decoded || id.len == 0);
	assert(id.len <= size);
	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		check_id(&homes[i], text);
		check_id(&homes[i], buf_str(&id));
	}
	(void)str_cut(text, '\n', &sp, &rest);
	if (entity_home_init(&home, rest, sp))
		assert(memchr(home.cse.p != NULL ? home.cse.p : "", '/',
			      home.cse.len) == NULL);
	(void)entity_id_is_under(sp, rest);
	buf_deinit(&id);
	return 0;
}
