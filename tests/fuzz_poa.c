#define _GNU_SOURCE	/* memmem */
#include <assert.h>
#include <jansson.h>
#include <limits.h>

#include "m2m/json.h"
#include "m2m/poa.h"

/*
 * Whatever the content, what comes out is JSON again; a second run finds
 * nothing more to do; and an entity that reads what it has written finds what
 * it wrote. jansson compares the values.
 */
#define PREFIX "http://gw/r/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_valid(const struct buf *out)
{
	const char *why;
	int err = jscan_check(buf_str(out), JSCAN_DEPTH_MAX, UINT_MAX, &why);

	assert(!out->failed);
	assert(err == 0);
}

/* arg: the list of the one entity that there is. */
static bool find_one(void *arg, struct str *poa, struct str token)
{
	if (!str_eq(token, STR("one")))
		return false;
	*poa = *(const struct str *)arg;
	return true;
}

/* Tokens of one letter stand for entities of each kind. */
static bool find_any(void *arg, struct str *poa, struct str token)
{
	(void)arg;
	if (str_eq(token, STR("n")))
		*poa = (struct str){ NULL, 0 };
	else if (str_eq(token, STR("w")))
		*poa = STR("[\"ws://default\"]");
	else if (str_eq(token, STR("m")))
		*poa = STR("[ \"http:\\/\\/a\" , \"wss:b\", \"ws:c\"]");
	else if (str_eq(token, STR("e")))
		*poa = STR("[]");
	else
		return false;
	return true;
}

static json_t *read_json(struct str text)
{
	return json_loadb(text.p, text.len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

static void check_equal(struct str a, json_t *want)
{
	json_t *got = read_json(a);

	assert(got != NULL && json_equal(got, want));
	json_decref(got);
}

/* The entity's list comes back as it was. */
static void check_back(struct str there, struct str content,
		       struct poa_state *after)
{
	struct poa_routes routes = { STR(PREFIX), find_one, &after->poa };
	json_t *want = read_json(content);
	struct buf back = { 0 };
	bool changed;

	assert(after->routed);
	/* a URL of ours that the client wrote itself goes as well */
	if (want != NULL && memmem(content.p, content.len, "gw", 2) == NULL) {
		changed = poa_restore(&back, there, &routes);
		assert(changed);
		check_valid(&back);
		check_equal(buf_str(&back), want);
	}
	json_decref(want);
	buf_deinit(&back);
}

static void check_rewrite(struct str content, const struct poa_request *r)
{
	struct poa_request again = *r;
	struct poa_state after;
	struct buf out = { 0 };

	if (poa_rewrite(&out, &after, r)) {
		check_valid(&out);
		if (r->is_create)
			check_back(buf_str(&out), content, &after);
		/* now it names the gateway, which is not ws */
		again.content = buf_str(&out);
		again.before = after;
		assert(!poa_rewrite(&(struct buf){ 0 }, &after, &again));
	} else {
		assert(out.len == 0);
	}
	buf_deinit(&out);
}

static void check_rewrites(struct str content)
{
	static const struct poa_state befores[] = {
		{ false, false, POA_RR_UNKNOWN, { NULL, 0 } },
		{ true, false, POA_RR_FALSE, { NULL, 0 } },
		{ true, false, POA_RR_FALSE, STR_INIT("[\"a\",\"ws\",\"b\"]") },
		{ true, true, POA_RR_TRUE, STR_INIT("[\"ws\"]") },
	};
	struct poa_request r = { content, STR("m2m:ae"), STR(PREFIX "one"),
				 true, { 0 } };

	check_rewrite(content, &r);
	r.is_create = false;
	for (size_t i = 0; i < ARRAY_LEN(befores); i++) {
		r.before = befores[i];
		check_rewrite(content, &r);
	}
}

static void check_restore(struct str content)
{
	struct poa_routes routes = { STR(PREFIX), find_any, NULL };
	struct buf out = { 0 }, again = { 0 };

	if (poa_restore(&out, content, &routes)) {
		check_valid(&out);
		assert(!poa_restore(&again, buf_str(&out), &routes));
	} else {
		assert(out.len == 0);
	}
	buf_deinit(&out);
	buf_deinit(&again);
}

static bool is_own(void *arg, struct str url)
{
	(void)arg;
	return url.len % 2 == 0;
}

static void check_targets(struct str content,
			  enum nu_result (*rewrite)(struct buf *, struct str,
						    const struct nu_rules *))
{
	struct nu_rules rules = { STR("C\"x"), is_own, NULL };
	struct buf out = { 0 }, again = { 0 };

	if (rewrite(&out, content, &rules) == NU_CHANGED) {
		check_valid(&out);
		assert(rewrite(&again, buf_str(&out), &rules) == NU_SAME);
	} else {
		assert(out.len == 0);
	}
	buf_deinit(&out);
	buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str content = { (const char *)data, size };
	const char *why;

	if (jscan_check(content, JSCAN_DEPTH_MAX, UINT_MAX, &why) != 0)
		return 0;
	check_rewrites(content);
	check_restore(content);
	check_targets(content, nu_rewrite);
	check_targets(content, nu_rewrite_rt);
	return 0;
}
