#ifndef TESTS_CONFIG_UTIL_H
#define TESTS_CONFIG_UTIL_H

#include "unit.h"

#include "ops/config_priv.h"

/* What every configuration needs; a body that follows starts in line 7. */
#define BASE \
	"[listener \"main\"]\n" \
	"listen = 127.0.0.1:8180\n" \
	"[upstream \"cse\"]\n" \
	"url = http://127.0.0.1:8080\n" \
	"[auth]\n" \
	"mode = open\n"

/* The outcome of one load. */
struct loaded {
	int err;
	struct config *conf;		/* NULL: it failed */
	char *diag;
	size_t diag_len;
	FILE *to;
};

static inline FILE *loaded_diag(struct loaded *l)
{
	*l = (struct loaded){ 0 };
	l->to = open_memstream(&l->diag, &l->diag_len);
	ck_assert_ptr_nonnull(l->to);
	return l->to;
}

/* Silent when and only when it succeeded. */
static inline void loaded_check(struct loaded *l)
{
	fclose(l->to);
	ck_assert_msg((l->err == 0) == (l->diag_len == 0), "%s", l->diag);
}

static inline void load_text(struct loaded *l, struct str text)
{
	FILE *diag = loaded_diag(l);

	l->err = config_load_text(&l->conf, "t.conf", text, diag);
	loaded_check(l);
}

static inline void loaded_free(struct loaded *l)
{
	config_destroy(l->conf);
	free(l->diag);
}

/* The caller frees. */
static inline char *dump_of(const struct config *conf)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		abort();	/* no ck_assert: the fuzzer calls this too */
	config_dump(conf, to);
	fclose(to);
	return text;
}

/* Comments tell origins, which a second load changes. */
static inline void strip_comments(char *text)
{
	char *to = text;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		if (text[0] != '#') {
			memmove(to, text, len);
			to += len;
		}
		text += len;
	}
	*to = '\0';
}

#endif
