#include "gateway/credential.h"

#include <uv.h>

#include "base/glob.h"

int credential_set_init(struct credential_set *set)
{
	*set = (struct credential_set){ 0 };
	return siphash_key_random(&set->key);
}

void credential_set_deinit(struct credential_set *set)
{
	for (size_t i = 0; i < CREDENTIAL_KINDS; i++)
		HASH_CLEAR(hh, set->proofs[i]);
}

const struct credential_proof *
credential_set_find(const struct credential_set *set,
		    enum credential_kind kind, struct str name)
{
	unsigned hash = table_hash_keyed(&set->key, name);
	struct credential_proof *p;

	HASH_FIND_BYHASHVALUE(hh, set->proofs[kind], name.p, name.len, hash,
			      p);
	return p;
}

int credential_set_add(struct credential_set *set, struct credential_proof *p)
{
	unsigned hash = table_hash_keyed(&set->key, p->name);

	if (credential_set_find(set, p->kind, p->name) != NULL)
		return UV_EEXIST;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, set->proofs[p->kind], p->name.p,
				    p->name.len, hash, p);
	return table_added(&p->hh);
}

bool credential_proof_same(const struct credential_proof *a,
			   const struct credential_proof *b)
{
	const struct secret_hash *x = &a->hash, *y = &b->hash;

	return x->count == y->count &&
	       memcmp(x->salt, y->salt, sizeof(x->salt)) == 0 &&
	       memcmp(x->digest, y->digest, sizeof(x->digest)) == 0 &&
	       str_eq(a->credential->originators,
		      b->credential->originators) &&
	       str_eq(a->credential->administrators,
		      b->credential->administrators);
}

/* Well-formed when it is an id with something in the place of `*`. */
const char *credential_check_pattern(struct str text)
{
	static const struct entity_home nowhere;
	char sample[ENTITY_ID_MAX];
	struct entity_id id;

	if (text.len > sizeof(sample))
		return "must be of identifiers up to 256 octets";
	memcpy(sample, text.p, text.len);
	for (size_t i = 0; i < text.len; i++)
		if (sample[i] == '*')
			sample[i] = 'x';
	return entity_id_read(&id, &nowhere, (struct str){ sample, text.len }) ?
		       NULL :
		       "must be of identifiers, such as Cmeter* or /mn-cse7/*";
}

static bool matches(struct str pattern, struct str text)
{
	struct str own = { pattern.p, pattern.len > 2 ? pattern.len - 2 : 0 };

	if (text.len == 0)
		return false;
	if (glob_matches(pattern, text))
		return true;
	return own.len > 0 && memcmp(own.p + own.len, "/*", 2) == 0 &&
	       glob_matches(own, text);
}

/* The texts that stand for one originator. */
struct texts {
	struct str text[2];
};

static struct texts texts_of(struct str fr, const struct entity_id *id,
			     struct str canonical)
{
	/* what has a path is a resource, and no `*` makes it an originator */
	if (id->kind == ENTITY_OTHER)
		return memchr(fr.p, '/', fr.len) != NULL ?
			       (struct texts){ 0 } :
			       (struct texts){ { fr } };
	if (id->kind == ENTITY_AE)
		return (struct texts){ { canonical, entity_id_stem(id) } };
	return (struct texts){ { canonical } };
}

bool credential_allows(const struct credential *c, struct str fr,
		       const struct entity_id *id, struct str canonical)
{
	struct texts t = texts_of(fr, id, canonical);
	struct str rest = c->originators, one;

	while (str_word(&one, &rest))
		if (matches(one, t.text[0]) || matches(one, t.text[1]))
			return true;
	return false;
}

bool credential_is_administrator(const struct credential *c, struct str fr,
				 const struct entity_id *id,
				 struct str canonical)
{
	struct texts t = texts_of(fr, id, canonical);
	struct str rest = c->administrators, one;

	while (str_word(&one, &rest))
		if (str_eq(one, t.text[0]) ||
		    (t.text[1].len > 0 && str_eq(one, t.text[1])))
			return true;
	return false;
}
