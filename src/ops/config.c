#include "ops/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "config_priv.h"

#define READ_STEP 16384

void *config_alloc(struct config_store *st, size_t size)
{
	struct config_memory *m = calloc(1, sizeof(*m) + size);

	if (m == NULL)
		return NULL;
	SLIST_INSERT_HEAD(&st->memory, m, link);
	return m->bytes;
}

char *config_keep(struct config_store *st, struct str text)
{
	char *copy = config_alloc(st, text.len + 1);

	if (copy != NULL && text.len > 0)
		memcpy(copy, text.p, text.len);
	return copy;
}

static struct config_source *add_source(struct config_load *l, struct str name)
{
	struct config_source *s = config_alloc(l->store, sizeof(*s));

	if (s != NULL)
		s->name = config_keep(l->store, name);
	if (s == NULL || s->name == NULL) {
		l->err = UV_ENOMEM;
		return NULL;
	}
	return s;
}

static void report_unreadable(struct config_load *l,
			      const struct config_source *s, const char *why)
{
	struct config_place whole = { .source = s };

	config_report(l, &whole, "cannot be read: %s", why);
}

/* 0, an errno, or EFBIG. */
static int read_all(struct buf *out, FILE *from, size_t max)
{
	while (buf_reserve(out, READ_STEP)) {
		size_t n = fread(out->p + out->len, 1, READ_STEP, from);

		if (ferror(from))
			return errno;
		out->len += n;
		if (out->len > max)
			return EFBIG;
		if (n == 0)
			return 0;
	}
	return ENOMEM;
}

struct config_source *config_read_file(struct config_load *l, const char *path,
				       size_t max)
{
	struct config_source *s = add_source(l, str_of(path));
	struct buf text = { 0 };
	FILE *file;
	int err;

	if (s == NULL)
		return NULL;
	file = fopen(path, "re");
	err = file == NULL ? errno : read_all(&text, file, max);
	if (file != NULL)
		fclose(file);
	if (err) {
		report_unreadable(l, s, err_text(uv_translate_sys_error(err)));
		buf_deinit(&text);
		return NULL;
	}
	s->text = config_keep(l->store, buf_str(&text));
	s->len = text.len;
	buf_deinit(&text);
	if (s->text != NULL)
		return s;
	l->err = UV_ENOMEM;
	return NULL;
}

/* False: it could not be read. */
static bool apply_file(struct config_load *l, const char *path)
{
	struct config_source *s = config_read_file(l, path, CONFIG_FILE_MAX);

	if (s != NULL)
		config_apply_text(l, s);
	return s != NULL;
}

static int is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 &&
	       strcmp(d->d_name + len - 5, ".conf") == 0;
}

/* Not alphasort(): the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_part(struct buf *path, struct str part)
{
	buf_add_str(path, part);
	buf_add_char(path, '\0');
	path->len--;
}

static void apply_each(struct config_load *l, struct buf *path,
		       struct dirent **list, int count)
{
	size_t dir = path->len;

	for (int i = 0; i < count; i++) {
		path->len = dir;
		add_part(path, STR("/"));
		add_part(path, str_of(list[i]->d_name));
		if (path->failed)
			l->err = UV_ENOMEM;
		else if (!l->err)
			apply_file(l, path->p);
		free(list[i]);
	}
}

static void apply_conf_d(struct config_load *l, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct buf path = { 0 };
	struct dirent **list;
	int count;

	if (slash != NULL)
		add_part(&path, str_range(file, slash + 1));
	add_part(&path, STR("conf.d"));
	if (path.failed) {
		l->err = UV_ENOMEM;
		goto deinit_path;
	}
	count = scandir(path.p, &list, is_conf, by_name);
	if (count >= 0) {
		apply_each(l, &path, list, count);
		free(list);
	} else if (errno != ENOENT) {
		int err = uv_translate_sys_error(errno);
		struct config_source *s = add_source(l, buf_str(&path));

		if (s != NULL)
			report_unreadable(l, s, err_text(err));
	}
deinit_path:
	buf_deinit(&path);
}

/* `-o listener.main.listen=...`: the value is shown in the line below. */
static void apply_override(struct config_load *l, const char *text)
{
	struct config_source *s;
	struct str key, value;
	struct buf name = { 0 };
	bool has_value = str_cut(str_of(text), '=', &key, &value);

	buf_add_lit(&name, "-o ");
	buf_add_str(&name, key);
	if (has_value)
		buf_add_lit(&name, "=...");
	s = name.failed ? NULL : add_source(l, buf_str(&name));
	buf_deinit(&name);
	if (s != NULL)
		s->text = config_keep(l->store, str_of(text));
	if (s == NULL || s->text == NULL) {
		l->err = UV_ENOMEM;
		return;
	}
	s->is_override = true;
	s->len = strlen(text);
	config_apply_override(l, s);
}

static int begin(struct config_load *l, FILE *diag, const char *name)
{
	*l = (struct config_load){ .diag = diag, .name = name };
	l->conf = calloc(1, sizeof(*l->conf));
	l->store = calloc(1, sizeof(*l->store));
	if (l->conf == NULL || l->store == NULL) {
		free(l->conf);
		free(l->store);
		config_report(l, NULL, "out of memory");
		return UV_ENOMEM;
	}
	STAILQ_INIT(&l->store->instances);
	SLIST_INIT(&l->store->memory);
	l->conf->store = l->store;
	config_apply_none(l);
	return 0;
}

static int end(struct config_load *l, struct config **out)
{
	if (!l->err && l->errors > 0)
		l->err = ERR_PROTO;
	if (l->err == UV_ENOMEM)
		config_report(l, NULL, "out of memory");
	if (l->err) {
		config_destroy(l->conf);
		return l->err;
	}
	*out = l->conf;
	return 0;
}

static int load(struct config **out, const char *file,
		const char *const *overrides, size_t count, FILE *diag,
		bool bare)
{
	struct config_load l;
	bool whole = true;
	int err = begin(&l, diag, file != NULL ? file : "configuration");

	if (err)
		return err;
	l.bare = bare;
	if (file != NULL && !l.err) {
		whole = apply_file(&l, file);
		if (whole)
			apply_conf_d(&l, file);
	}
	for (size_t i = 0; i < count && !l.err; i++)
		apply_override(&l, overrides[i]);
	if (whole && !l.err)
		config_finish(&l);
	return end(&l, out);
}

int config_load(struct config **out, const char *file,
		const char *const *overrides, size_t count, FILE *diag)
{
	return load(out, file, overrides, count, diag, false);
}

int config_load_again(struct config **out, const char *file,
		      const char *const *overrides, size_t count, FILE *diag)
{
	return load(out, file, overrides, count, diag, true);
}

int config_load_text(struct config **out, const char *name, struct str text,
		     FILE *diag)
{
	struct config_source *s;
	struct config_load l;
	int err = begin(&l, diag, name);

	if (err)
		return err;
	s = add_source(&l, str_of(name));
	if (s != NULL)
		s->text = config_keep(l.store, text);
	if (s == NULL || s->text == NULL) {
		l.err = UV_ENOMEM;
		return end(&l, out);
	}
	s->len = text.len;
	config_apply_text(&l, s);
	if (!l.err)
		config_finish(&l);
	return end(&l, out);
}

void config_destroy(struct config *c)
{
	struct config_memory *m;

	if (c == NULL)
		return;
	credential_set_deinit(&c->store->credentials);
	while ((m = SLIST_FIRST(&c->store->memory)) != NULL) {
		SLIST_REMOVE_HEAD(&c->store->memory, link);
		free(m);
	}
	free(c->store);
	free(c);
}
