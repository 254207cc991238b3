#include "ctl_show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "ctl_table.h"

static void print_visible(FILE *to, const char *text)
{
	struct buf out = { 0 };

	ctl_add_visible(&out, str_of(text));
	fwrite(out.p, 1, out.len, to);
	buf_deinit(&out);
}

void ctl_complain(const char *what, const char *why)
{
	fputs("m2mwsctl: ", stderr);
	print_visible(stderr, what);
	if (why != NULL) {
		fputs(": ", stderr);
		print_visible(stderr, why);
	}
	fputc('\n', stderr);
}

static int64_t count_of(const json_t *obj, const char *member)
{
	return json_integer_value(json_object_get(obj, member));
}

/* More than limit would let through. */
static void tell_more(const json_t *answer)
{
	if (json_is_true(json_object_get(answer, "more")))
		fputs("m2mwsctl: there are more, see --limit\n", stderr);
}

/* ---- status ---- */

static void show_counters(FILE *to, const json_t *counters)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)counters, name, value)
		if (json_integer_value(value) > 0)
			fprintf(to, "  %12" PRId64 "  %s\n",
				(int64_t)json_integer_value(value), name);
}

static void show_uptime(FILE *to, const json_t *answer)
{
	struct buf age = { 0 };

	ctl_add_duration(&age, count_of(answer, "uptime"));
	fprintf(to, "up         %.*s\n", (int)age.len, age.p);
	buf_deinit(&age);
}

/* One of several says no more than the line above. */
static void show_upstreams(FILE *to, json_t *answer)
{
	static const struct ctl_column columns[] = {
		{ "UPSTREAM", "name", CELL_TEXT, NULL },
		{ "UP", "up", CELL_NUMBER, NULL },
		{ "OPEN", "open", CELL_NUMBER, NULL },
		{ "PENDING", "pending", CELL_NUMBER, NULL },
		{ "REQUESTS", "requests", CELL_NUMBER, NULL },
		{ "FAILURES", "failures", CELL_NUMBER, NULL },
		{ "MOVED", "moved", CELL_NUMBER, NULL },
		{ "DOWNS", "downs", CELL_NUMBER, NULL },
	};
	const json_t *list = json_object_get(answer, "upstreams");

	if (json_array_size(list) > 1)
		ctl_table_write(to, columns, ARRAY_LEN(columns), list, 0);
}

int ctl_show_status(FILE *to, json_t *answer, const struct ctl_args *args)
{
	static const struct ctl_column top[] = {
		{ "version", "version", CELL_TEXT, NULL },
		{ "draining", "draining", CELL_TEXT, NULL },
		{ "workers", "workers", CELL_TEXT, NULL },
		{ "log level", "log", CELL_TEXT, NULL },
		{ "sessions", "sessions", CELL_TEXT, NULL },
		{ "entities", "entities", CELL_TEXT, NULL },
		{ "online", "online", CELL_TEXT, NULL },
	};
	const json_t *upstream = json_object_get(answer, "upstream");
	const json_t *inbox = json_object_get(answer, "inbox");

	(void)args;
	ctl_table_write_one(to, top, ARRAY_LEN(top), answer, 0);
	show_uptime(to, answer);
	fprintf(to, "stored     %" PRId64 " (%" PRId64 " octets)\n",
		count_of(inbox, "items"), count_of(inbox, "octets"));
	fprintf(to, "upstream   %" PRId64 " of %" PRId64 " workers reach it, %"
		    PRId64 " connections, %" PRId64 " waiting\n",
		count_of(upstream, "up"), count_of(answer, "workers"),
		count_of(upstream, "open"), count_of(upstream, "waiting"));
	show_upstreams(to, answer);
	fputs("counted (but for what is zero):\n", to);
	show_counters(to, json_object_get(answer, "counters"));
	return CTL_FINE;
}

/* ---- sessions ---- */

static const struct ctl_column session_columns[] = {
	{ "SID", "sid", CELL_NUMBER, NULL },
	{ "PEER", "peer", CELL_TEXT, NULL },
	{ "LISTENER", "listener", CELL_TEXT, NULL },
	{ "WORKER", "worker", CELL_NUMBER, NULL },
	{ "OPEN", "opened", CELL_AGE, NULL },
	{ "IN", "messages_in", CELL_NUMBER, NULL },
	{ "OUT", "messages_out", CELL_NUMBER, NULL },
	{ "AT CSE", "in_flight", CELL_NUMBER, NULL },
	{ "ASKED", "asked", CELL_NUMBER, NULL },
	{ "CREDENTIAL", "credential", CELL_TEXT, NULL },
	{ "ORIGINATORS", "originators", CELL_LIST, "entities" },
};

static const struct ctl_column one_session[] = {
	{ "sid", "sid", CELL_TEXT, NULL },
	{ "peer", "peer", CELL_TEXT, NULL },
	{ "listener", "listener", CELL_TEXT, NULL },
	{ "worker", "worker", CELL_TEXT, NULL },
	{ "open for", "opened", CELL_AGE, NULL },
	{ "sub-protocol", "subprotocol", CELL_TEXT, NULL },
	{ "credential", "credential", CELL_TEXT, NULL },
	{ "certificate", "certificate", CELL_TEXT, NULL },
	{ "messages in", "messages_in", CELL_TEXT, NULL },
	{ "messages out", "messages_out", CELL_TEXT, NULL },
	{ "at the CSE", "in_flight", CELL_TEXT, NULL },
	{ "octets waiting", "waiting_octets", CELL_TEXT, NULL },
	{ "asked", "asked", CELL_TEXT, NULL },
	{ "entities", "entities", CELL_TEXT, NULL },
	{ "originators", "originators", CELL_LIST, "entities" },
};

static bool is_session_member(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(one_session); i++)
		if (strcmp(one_session[i].member, key) == 0)
			return true;
	return false;
}

int ctl_show_sessions(FILE *to, json_t *answer, const struct ctl_args *args)
{
	json_t *rows = json_object_get(answer, "sessions");

	if (args->sort != NULL && !is_session_member(args->sort)) {
		ctl_complain("nothing to sort by", args->sort);
		return CTL_USAGE;
	}
	if (args->sort != NULL)
		ctl_sort(rows, args->sort);
	if (args->json) {
		json_dumpf(answer, to, JSON_COMPACT);
		fputc('\n', to);
		return CTL_FINE;
	}
	ctl_table_write(to, session_columns, ARRAY_LEN(session_columns), rows,
			(int64_t)time(NULL));
	tell_more(answer);
	return CTL_FINE;
}

int ctl_show_session(FILE *to, json_t *answer, const struct ctl_args *args)
{
	(void)args;
	ctl_table_write_one(to, one_session, ARRAY_LEN(one_session), answer,
			    (int64_t)time(NULL));
	return CTL_FINE;
}

int ctl_show_kick(FILE *to, json_t *answer, const struct ctl_args *args)
{
	(void)args;
	fprintf(to, "session %" PRId64 " is being closed\n",
		count_of(answer, "sid"));
	return CTL_FINE;
}

/* ---- the daemon ---- */

int ctl_show_drain(FILE *to, json_t *answer, const struct ctl_args *args)
{
	(void)args;
	fprintf(to, "draining, %" PRId64 " sessions\n",
		count_of(answer, "sessions"));
	return CTL_FINE;
}

int ctl_show_reload(FILE *to, json_t *answer, const struct ctl_args *args)
{
	bool ok = json_is_true(json_object_get(answer, "ok"));
	size_t i;
	json_t *line;

	(void)args;
	json_array_foreach(json_object_get(answer, "errors"), i, line)
		ctl_complain(json_string_value(line), NULL);
	json_array_foreach(json_object_get(answer, "restart_needed"), i, line)
		ctl_complain("takes a restart", json_string_value(line));
	fputs(ok ? "reloaded\n" : "nothing has changed\n", to);
	return ok ? CTL_FINE : CTL_FAILED;
}

int ctl_show_log(FILE *to, json_t *answer, const struct ctl_args *args)
{
	(void)args;
	fprintf(to, "log level %s\n",
		json_string_value(json_object_get(answer, "level")));
	return CTL_FINE;
}

/* ---- the inbox ---- */

int ctl_show_inboxes(FILE *to, json_t *answer, const struct ctl_args *args)
{
	static const struct ctl_column columns[] = {
		{ "ENTITY", "entity", CELL_TEXT, NULL },
		{ "ITEMS", "items", CELL_NUMBER, NULL },
		{ "OCTETS", "octets", CELL_NUMBER, NULL },
		{ "OLDEST", "oldest", CELL_AGE, NULL },
	};

	(void)args;
	ctl_table_write(to, columns, ARRAY_LEN(columns),
			json_object_get(answer, "entities"),
			(int64_t)time(NULL));
	tell_more(answer);
	return CTL_FINE;
}

/* What was sent, in one line below its item. */
static void show_message(FILE *to, const json_t *item)
{
	char *text = json_dumps(json_object_get(item, "message"),
				JSON_COMPACT | JSON_ENCODE_ANY |
					JSON_REAL_PRECISION(15));

	if (text == NULL)
		return;
	fprintf(to, "%8" PRId64 "  ", count_of(item, "seq"));
	print_visible(to, text);
	fputc('\n', to);
	free(text);
}

int ctl_show_inbox(FILE *to, json_t *answer, const struct ctl_args *args)
{
	static const struct ctl_column columns[] = {
		{ "     SEQ", "seq", CELL_NUMBER, NULL },
		{ "STORED", "stored", CELL_AGE, NULL },
		{ "OCTETS", "octets", CELL_NUMBER, NULL },
		{ "SUBSCRIPTION", "sur", CELL_TEXT, NULL },
	};
	const json_t *items = json_object_get(answer, "items");
	size_t i;
	json_t *item;

	(void)args;
	ctl_table_write(to, columns, ARRAY_LEN(columns), items,
			(int64_t)time(NULL));
	json_array_foreach(items, i, item)
		show_message(to, item);
	tell_more(answer);
	return CTL_FINE;
}

int ctl_show_dropped(FILE *to, json_t *answer, const struct ctl_args *args)
{
	(void)args;
	fprintf(to, "%" PRId64 " dropped\n", count_of(answer, "dropped"));
	return CTL_FINE;
}

int ctl_show_redeliver(FILE *to, json_t *answer, const struct ctl_args *args)
{
	(void)args;
	fprintf(to, "%" PRId64 " to be delivered\n", count_of(answer, "items"));
	return CTL_FINE;
}
