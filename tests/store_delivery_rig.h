#ifndef TESTS_STORE_DELIVERY_RIG_H
#define TESTS_STORE_DELIVERY_RIG_H

#include <stdarg.h>

#include "backend/store_delivery.h"
#include "m2m/codec.h"
#include "net/reactor.h"
#include "scripted_server.h"
#include "unit.h"

/*
 * A delivery with servers to send to. What the servers are sent, and what
 * becomes of errands, is written down one line each:
 *
 *	0 POST /path {content}		server 0 got that
 *	j1 again			the errand of request j1 goes again,
 *	j1 5204 {content}		is answered,
 *	j1 drop				or is not
 *
 * Texts are with ' for ", and %N for the port of server N.
 */
#define RIG_SERVERS 3

struct rig {
	struct reactor *r;
	struct store_delivery *d;
	struct store_delivery_conf conf;
	struct server servers[RIG_SERVERS];
	uv_timer_t tick;
	struct buf log;
	unsigned lines, until;
	struct buf head;		/* of the last request */
	bool unwanted;			/* errands are, from now on */
	bool idle;			/* on_idle was called */
};

/* The errand comes first: the delivery knows only that. */
struct rig_errand {
	struct store_errand e;
	struct rig *rig;
};

static inline struct rig *rig_of(struct store_errand *e)
{
	return container_of(e, struct rig_errand, e)->rig;
}

__attribute__((format(printf, 2, 3)))
static inline void rig_log(struct rig *rig, const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *at = line; *at != '\0'; at++)
		*at = *at == '"' ? '\'' : *at;
	buf_add_str(&rig->log, str_of(line));
	buf_add_char(&rig->log, '\n');
	rig->lines++;
}

static inline char *rig_text(const struct rig *rig, const char *format)
{
	struct buf out = { 0 };

	for (const char *at = format; *at != '\0'; at++) {
		if (*at == '%') {
			at++;
			buf_add_u64(&out, rig->servers[*at - '0'].port);
		} else {
			buf_add_char(&out, *at == '\'' ? '"' : *at);
		}
	}
	buf_add_char(&out, '\0');
	return out.p;
}

/* ---- errands ---- */

static inline void rig_errand_free(struct store_errand *e)
{
	prim_deinit(&e->request);
	prim_deinit(&e->answer);
	/* lists of a test are not the errand's */
	free(e->events.list);
	free(container_of(e, struct rig_errand, e));
}

static inline void rig_log_errand(struct store_errand *e, const char *what)
{
	struct str rqi = prim_text(&e->request, PARAM_RQI);

	rig_log(rig_of(e), "%.*s %s", (int)rqi.len, rqi.p, what);
}

static inline void rig_on_answer(struct store_errand *e)
{
	struct str rqi = prim_text(&e->answer, PARAM_RQI);
	struct str pc = e->answer.content;

	ck_assert_int_eq(e->answer.kind, PRIM_RESPONSE);
	rig_log(rig_of(e), "%.*s %d%s%.*s", (int)rqi.len, rqi.p,
		e->answer.rsc, pc.len > 0 ? " " : "", (int)pc.len, pc.p);
	rig_errand_free(e);
}

static inline void rig_on_again(struct store_errand *e)
{
	ck_assert(e->pass.agreed);
	rig_log_errand(e, "again");
	rig_errand_free(e);
}

static inline void rig_on_drop(struct store_errand *e)
{
	rig_log_errand(e, "drop");
	rig_errand_free(e);
}

static inline bool rig_is_wanted(struct store_errand *e)
{
	return !rig_of(e)->unwanted;
}

static const struct store_errand_ops rig_errand_ops = {
	.answer = rig_on_answer,
	.again = rig_on_again,
	.drop = rig_on_drop,
	.is_wanted = rig_is_wanted,
};

/* An errand of the JSON request; events are copied, their texts are not. */
static inline void rig_run_errand(struct rig *rig, const char *request,
				  enum store_outcome outcome, int64_t channel,
				  const struct store_event *events,
				  size_t count)
{
	struct rig_errand *re = calloc(1, sizeof(*re));
	struct prim p = { 0 };
	const char *why = "";
	char *text = rig_text(rig, request);

	ck_assert_msg(codec_json.decode(&p, &why, &rig->conf.client.codec,
					str_of(text)) == 0, "%s: %s", text,
		      why);
	ck_assert_int_eq(prim_copy(&re->e.request, &p), 0);
	prim_deinit(&p);
	free(text);
	re->rig = rig;
	re->e.ops = &rig_errand_ops;
	re->e.pass.outcome = outcome;
	re->e.pass.channel = channel;
	re->e.events.count = count;
	re->e.events.list = calloc(count + 1, sizeof(*events));
	if (count > 0)
		memcpy(re->e.events.list, events, count * sizeof(*events));
	store_delivery_run(rig->d, &re->e);
}

/* ---- servers ---- */

static inline void rig_on_request(struct server *s, struct server_conn *conn)
{
	struct rig *rig = s->owner;
	size_t head = server_head_len(conn);
	uint64_t body = 0;
	struct str line, rest;

	(void)str_cut((struct str){ conn->in.p, head }, '\r', &line, &rest);
	line.len -= sizeof(" HTTP/1.1") - 1;
	if (!str_to_u64(&body, server_header(conn, head, "Content-Length")))
		body = 0;
	buf_clear(&rig->head);
	buf_add(&rig->head, conn->in.p, head);
	rig_log(rig, "%u %.*s%s%.*s", (unsigned)(s - rig->servers),
		(int)line.len, line.p, body > 0 ? " " : "", (int)body,
		conn->in.p + head);
}

static inline void rig_on_tick(uv_timer_t *timer)
{
	struct rig *rig = timer->data;

	for (size_t i = 0; i < RIG_SERVERS; i++)
		server_tick(&rig->servers[i]);
	if (rig->lines >= rig->until)
		reactor_stop(rig->r);
}

#define RIG_OK(rsc)						      \
	"HTTP/1.1 200 OK\r\nX-M2M-RI: %I\r\nX-M2M-RSC: " rsc "\r\n" \
	"Content-Length: 0\r\n\r\n"
#define RIG_GOOD SCRIPT(READ, SAY(RIG_OK("2000")), AGAIN)

/* The first connection to server nth plays this; later ones RIG_GOOD. */
static inline void rig_script(struct rig *rig, size_t nth,
			      const struct step *const *scripts, size_t count)
{
	rig->servers[nth].scripts = scripts;
	rig->servers[nth].count = count;
}

static inline void rig_init(struct rig *rig)
{
	static const struct step good[] = { READ, SAY(RIG_OK("2000")), AGAIN,
					    { ACT_END, NULL, 0 } };
	static const struct step *const all_good[] = { good, good, good,
						       good };

	*rig = (struct rig){
		.conf = {
			.client = {
				.authorities = 4,
				.connections = 4,
				.connect_timeout_ms = 10000,
				.keepalive_ms = 60000,
				.max_waiting = 1 << 20,
				.max_answer = 10000,
				.codec = { 64, 10000 },
			},
			.timeout_ms = 10000,
			.poll_ms = 10000,
			.max_queue = 1 << 20,
			.max_memory = 1 << 20,
			.max_pending = 8,
		},
	};
	ck_assert_int_eq(reactor_create(&rig->r), 0);
	for (size_t i = 0; i < RIG_SERVERS; i++) {
		struct server *s = &rig->servers[i];

		ck_assert_int_eq(server_listen(s, reactor_loop(rig->r),
					       "127.0.0.1"), 0);
		s->heard = &rig->lines;
		s->owner = rig;
		s->on_request = rig_on_request;
		rig_script(rig, i, all_good, ARRAY_LEN(all_good));
	}
	ck_assert_int_eq(store_delivery_create(&rig->d, rig->r, NULL,
					       &rig->conf), 0);
	uv_timer_init(reactor_loop(rig->r), &rig->tick);
	rig->tick.data = rig;
	uv_timer_start(&rig->tick, rig_on_tick, 1, 1);
}

/* Until so many lines are in the log. */
static inline void rig_loop(struct rig *rig, unsigned lines)
{
	rig->until = lines;
	reactor_run(rig->r);
}

/* A few turns, in which nothing should happen. */
static inline void rig_turns(struct rig *rig)
{
	for (int i = 0; i < 5; i++)
		rig_loop(rig, 0);
}

static inline void rig_check(struct rig *rig, const char *want)
{
	char *text = rig_text(rig, want);

	for (char *at = text; *at != '\0'; at++)
		*at = *at == '"' ? '\'' : *at;
	buf_add_char(&rig->log, '\0');
	ck_assert_msg(strcmp(rig->log.p, text) == 0, "got:\n%swant:\n%s",
		      rig->log.p, text);
	rig->log.len--;
	free(text);
}

static inline bool rig_holds(struct buf *b, const char *text)
{
	bool holds;

	buf_add_char(b, '\0');
	holds = strstr(b->p, text) != NULL;
	b->len--;
	return holds;
}

static inline void rig_end(struct rig *rig)
{
	store_delivery_destroy(rig->d);
	uv_close((uv_handle_t *)&rig->tick, NULL);
	for (size_t i = 0; i < RIG_SERVERS; i++)
		server_close(&rig->servers[i]);
	buf_deinit(&rig->log);
	buf_deinit(&rig->head);
	reactor_destroy(rig->r);
}

/* ---- events ---- */

/* Texts are the test's until rig_event_free(). */
static inline struct store_event rig_event(const struct rig *rig,
					   const char *urls, const char *pc)
{
	struct store_event event = { .originator = STR("/id-in") };

	event.route.urls = str_of(rig_text(rig, urls));
	event.route.exact = true;
	event.route.to = STR("Cx");
	event.target = (struct str){ event.route.urls.p,
				     event.route.urls.len -
					     (event.route.urls.len > 0) };
	event.content = str_of(rig_text(rig, pc));
	return event;
}

static inline void rig_event_free(const struct store_event *event)
{
	free((void *)(uintptr_t)event->route.urls.p);
	free((void *)(uintptr_t)event->content.p);
}

static inline void rig_notify(struct rig *rig, struct store_event event)
{
	struct store_events events = { .list = &event, .count = 1 };

	store_delivery_notify(rig->d, &events);
	rig_event_free(&event);
}

#endif
