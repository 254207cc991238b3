#include "ops/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "m2m/prim.h"

#define PREFIX "m2mwsd_"

static void add_help(struct buf *out, const char *name, const char *help,
		     const char *type)
{
	buf_add_lit(out, "# HELP " PREFIX);
	buf_add_str(out, str_of(name));
	buf_add_char(out, ' ');
	buf_add_str(out, str_of(help));
	buf_add_lit(out, "\n# TYPE " PREFIX);
	buf_add_str(out, str_of(name));
	buf_add_char(out, ' ');
	buf_add_str(out, str_of(type));
	buf_add_char(out, '\n');
}

static void add_sample(struct buf *out, const char *name, const char *label,
		       const char *value)
{
	buf_add_lit(out, PREFIX);
	buf_add_str(out, str_of(name));
	if (label != NULL) {
		buf_add_char(out, '{');
		buf_add_str(out, str_of(label));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ' ');
	buf_add_str(out, str_of(value));
	buf_add_char(out, '\n');
}

static void add_value(struct buf *out, const char *name, const char *label,
		      uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	add_sample(out, name, label, text);
}

/* Prometheus counts time in seconds, whatever its size. */
static void add_seconds(struct buf *out, const char *name, const char *label,
			uint64_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, us / 1000000,
		 us % 1000000);
	add_sample(out, name, label, text);
}

static void add_values(struct buf *out, const uint64_t *values)
{
	const char *last = "";

	for (size_t i = 0; i < STAT_COUNT; i++) {
		const struct stat_info *info = &stat_infos[i];

		if (strcmp(info->name, last) != 0)
			add_help(out, info->name, info->help,
				 info->now ? "gauge" : "counter");
		add_value(out, info->name, info->label, values[i]);
		last = info->name;
	}
}

static void add_upstreams(struct buf *out, const struct gateway_stats *s)
{
	char label[96];

	for (size_t i = 0; i < UPSTREAM_STAT_COUNT; i++) {
		const struct stat_info *info = &upstream_stat_infos[i];

		if (s->upstream_count > 0)
			add_help(out, info->name, info->help,
				 info->now ? "gauge" : "counter");
		for (size_t j = 0; j < s->upstream_count; j++) {
			snprintf(label, sizeof(label), "upstream=\"%s\"",
				 s->upstreams[j].name);
			add_value(out, info->name, label,
				  s->upstreams[j].values[i]);
		}
	}
}

#define LATENCY "request_seconds"

/* Each bucket holds those before it. */
static void add_latency(struct buf *out, const char *op, const char *rsc,
			const struct latency *l)
{
	uint64_t count = 0;
	char bound[32], label[96];

	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		count += l->buckets[i];
		if (i < LATENCY_BUCKETS - 1)
			snprintf(bound, sizeof(bound), "%.6g",
				 latency_bounds[i] / 1e6);
		else
			strcpy(bound, "+Inf");
		snprintf(label, sizeof(label),
			 "op=\"%s\",rsc=\"%s\",le=\"%s\"", op, rsc, bound);
		add_value(out, LATENCY "_bucket", label, count);
	}
	snprintf(label, sizeof(label), "op=\"%s\",rsc=\"%s\"", op, rsc);
	add_seconds(out, LATENCY "_sum", label, l->sum_us);
	add_value(out, LATENCY "_count", label, count);
}

static void add_latencies(struct buf *out, const struct latencies *l)
{
	add_help(out, LATENCY, "How long requests of clients took.",
		 "histogram");
	for (int op = OP_CREATE; op <= OP_NOTIFY; op++)
		for (size_t i = 0; i < LATENCY_CLASSES; i++)
			add_latency(out, op_name((enum op)op),
				    latency_classes[i], &l->of[op - 1][i]);
}

static void add_ages(struct buf *out, const uint64_t *ages_ms)
{
	char label[32];

	add_help(out, "queue_age_seconds",
		 "How long the oldest has waited: for in_flight of its session, "
		 "for a connection to the CSE, for an entity that is away.",
		 "gauge");
	for (size_t i = 0; i < QUEUE_COUNT; i++) {
		snprintf(label, sizeof(label), "queue=\"%s\"", queue_names[i]);
		add_seconds(out, "queue_age_seconds", label, ages_ms[i] * 1000);
	}
}

void metrics_write(struct buf *out, const struct gateway_stats *s)
{
	add_help(out, "info", "The version that runs.", "gauge");
	add_value(out, "info", "version=\"" M2MWSD_VERSION "\"", 1);
	add_values(out, s->values);
	add_upstreams(out, s);
	add_latencies(out, &s->latencies);
	add_help(out, "loop_lag_seconds",
		 "By how much the slowest turn of a loop was late since it was "
		 "last asked.", "gauge");
	add_seconds(out, "loop_lag_seconds", NULL, s->loop_lag_ms * 1000);
	add_ages(out, s->ages_ms);
}
