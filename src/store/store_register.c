#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "store/store_op.h"
#include "store/store_types.h"

/* Registration of AEs and CSEs (TS-0004 7.4.4.2.1, 7.4.5.2.1), and which
 * resources go below which (TS-0001 9.6). */

static const struct {
	int ty;
	int children[10];	/* ends with 0 */
} nesting[] = {
	{ TYPE_CB, { TYPE_ACP, TYPE_AE, TYPE_CNT, TYPE_GRP, TYPE_CSR,
		     TYPE_SUB, TYPE_FCNT } },
	{ TYPE_AE, { TYPE_ACP, TYPE_CNT, TYPE_GRP, TYPE_PCH, TYPE_SUB,
		     TYPE_FCNT } },
	{ TYPE_CSR, { TYPE_ACP, TYPE_CNT, TYPE_GRP, TYPE_PCH, TYPE_SUB,
		      TYPE_FCNT } },
	{ TYPE_CNT, { TYPE_CIN, TYPE_CNT, TYPE_SUB, TYPE_FCNT } },
	{ TYPE_FCNT, { TYPE_CNT, TYPE_SUB, TYPE_FCNT } },
	{ TYPE_GRP, { TYPE_SUB } },
	{ TYPE_ACP, { TYPE_SUB } },
};

static bool may_hold(int parent_ty, int ty)
{
	for (size_t i = 0; i < ARRAY_LEN(nesting); i++) {
		if (nesting[i].ty != parent_ty)
			continue;
		for (const int *child = nesting[i].children; *child != 0;
		     child++)
			if (*child == ty)
				return true;
	}
	return false;
}

int nesting_check(struct store_conn *c, int parent_ty, int ty)
{
	const struct type_info *type = type_find(ty);

	if (type == NULL || type->fixed || may_hold(parent_ty, ty))
		return 0;
	return store_refuse(c, RSC_INVALID_CHILD_RESOURCE_TYPE,
			    "no %s below %s", type->name,
			    type_name(parent_ty));
}

/* An AE without an id, or with its first letter only, is given one. */
static bool wants_id(struct str stem)
{
	return stem.len == 0 || str_eq(stem, STR("C")) ||
	       str_eq(stem, STR("S"));
}

static bool is_stem(struct str stem)
{
	static const char unreserved[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._";

	if (stem.len == 0 || (stem.p[0] != 'C' && stem.p[0] != 'S'))
		return false;
	for (size_t i = 0; i < stem.len; i++)
		if (memchr(unreserved, stem.p[i], sizeof(unreserved) - 1) ==
		    NULL)
			return false;
	return true;
}

/* /id: one segment */
static bool is_cse_id(struct str id)
{
	return id.len > 1 && id.p[0] == '/' &&
	       memchr(id.p + 1, '/', id.len - 1) == NULL;
}

static int check_free(struct store_conn *c, struct str ri)
{
	struct resource r = { 0 };
	char *text = strndup(ri.p, ri.len);
	int rc;

	if (text == NULL)
		return UV_ENOMEM;
	rc = tree_load_ri(&r, c, text);
	free(text);
	resource_deinit(&r);
	if (rc != 0)
		return rc == RSC_NOT_FOUND ? 0 : rc;
	return store_refuse(c, RSC_ORIGINATOR_HAS_ALREADY_REGISTERED,
			    "%.*s has registered already", (int)ri.len, ri.p);
}

static int check_ae(struct store_conn *c, struct str originator)
{
	struct str stem = store_stem(c, originator);

	if (wants_id(stem))
		return 0;
	if (!is_stem(stem))
		return store_refuse(c, RSC_BAD_REQUEST,
				    "fr is no AE-ID: C... or S...");
	return check_free(c, stem);
}

static int check_csr(struct store_conn *c, struct str originator)
{
	if (!is_cse_id(originator))
		return store_refuse(c, RSC_BAD_REQUEST, "fr is no CSE-ID");
	return check_free(c, str_skip(originator, 1));
}

int register_check(struct store_conn *c, int ty, struct str originator)
{
	switch (ty) {
	case TYPE_AE:
		return check_ae(c, originator);
	case TYPE_CSR:
		return check_csr(c, originator);
	default:
		return 0;
	}
}

/* 80 bits by chance: nobody has it. */
static int make_stem(char **out, char first)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	unsigned char chance[16];
	char *id = malloc(sizeof(chance) + 2);

	if (id == NULL)
		return UV_ENOMEM;
	if (getrandom(chance, sizeof(chance), 0) != sizeof(chance)) {
		free(id);
		return UV_EIO;
	}
	id[0] = first;
	for (size_t i = 0; i < sizeof(chance); i++)
		id[i + 1] = digits[chance[i] & 31];
	id[sizeof(chance) + 1] = '\0';
	*out = id;
	return 0;
}

static int register_ae(struct resource *r, struct store_conn *c,
		       struct str originator)
{
	struct str stem = store_stem(c, originator);
	int rc = 0;

	if (wants_id(stem))
		rc = make_stem(&r->ri, stem.len > 0 ? stem.p[0] : 'C');
	else
		r->ri = strndup(stem.p, stem.len);
	if (rc == 0 && (r->ri == NULL ||
			json_object_set_new(r->attrs, "aei",
					    json_string(r->ri)) != 0))
		rc = UV_ENOMEM;
	return rc;
}

static int register_csr(struct resource *r, struct str originator)
{
	r->ri = strndup(originator.p + 1, originator.len - 1);
	if (r->ri == NULL ||
	    json_object_set_new(r->attrs, "csi",
				json_stringn(originator.p, originator.len)))
		return UV_ENOMEM;
	return 0;
}

int register_entity(struct resource *r, struct store_conn *c,
		    struct str originator)
{
	switch (r->ty) {
	case TYPE_AE:
		return register_ae(r, c, originator);
	case TYPE_CSR:
		return register_csr(r, originator);
	default:
		return 0;
	}
}
