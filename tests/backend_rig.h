#ifndef TESTS_BACKEND_RIG_H
#define TESTS_BACKEND_RIG_H

#include "backend/backend.h"

#include <stdio.h>

#include "m2m/codec.h"
#include "net/reactor.h"
#include "scripted_server.h"
#include "unit.h"

/* A backend with its server and what the exchanges came to. */
#define EXCHANGES 200

struct rig;

struct one {
	struct exchange x;
	struct rig *rig;
	char rqi[8];
};

struct rig {
	struct reactor *r;
	struct backend *b;
	struct upstream_conf conf;
	struct server server;
	uv_timer_t tick;
	unsigned heard;
	unsigned until;			/* heard so many: stop */
	struct buf log;
	struct one ones[EXCHANGES];

	void (*then)(struct rig *rig);	/* run inside the next answer */
};

static const struct codec_conf codec_conf = { 64, 10000 };

static inline void on_answer(struct exchange *x, const struct prim *answer)
{
	struct one *one = container_of(x, struct one, x);
	struct rig *rig = one->rig;
	void (*then)(struct rig *) = rig->then;
	char rsc[32];

	ck_assert_ptr_null(x->impl);
	ck_assert_int_eq(answer->kind, PRIM_RESPONSE);
	rig->then = NULL;
	if (then != NULL)
		then(rig);
	/* what is lent stays good, whatever was done meanwhile */
	snprintf(rsc, sizeof(rsc), "=%d/%d:", answer->rsc, x->status);
	if (rig->log.len > 0)
		buf_add_char(&rig->log, ' ');
	buf_add_str(&rig->log, prim_text(answer, PARAM_RQI));
	buf_add_str(&rig->log, str_of(rsc));
	buf_add_str(&rig->log, prim_text(answer, PARAM_RVI));
	buf_add_str(&rig->log, answer->content);
	rig->heard++;
}

static inline void on_fail(struct exchange *x, int err, const char *why)
{
	struct one *one = container_of(x, struct one, x);
	struct rig *rig = one->rig;
	char what[32];

	ck_assert_ptr_null(x->impl);
	ck_assert_uint_gt(strlen(why), 0);
	snprintf(what, sizeof(what), "!%s/%d",
		 err == ERR_PROTO ? "PROTO" :
		 err == ERR_LIMIT ? "LIMIT" : uv_err_name(err), x->status);
	if (rig->log.len > 0)
		buf_add_char(&rig->log, ' ');
	buf_add_str(&rig->log, str_of(one->rqi));
	buf_add_str(&rig->log, str_of(what));
	rig->heard++;
	if (rig->then != NULL) {
		void (*then)(struct rig *) = rig->then;

		rig->then = NULL;
		then(rig);
	}
}

static const struct exchange_ops exchange_ops = {
	.on_answer = on_answer,
	.on_fail = on_fail,
};

static inline void on_tick(uv_timer_t *timer)
{
	struct rig *rig = timer->data;

	server_tick(&rig->server);
	if (rig->heard >= rig->until)
		reactor_stop(rig->r);
}

static inline void rig_init(struct rig *rig)
{
	*rig = (struct rig){
		.conf = {
			.name = "cse",
			.url = STR("http://127.0.0.1"),
			.host = "127.0.0.1",
			.base = "",
			.authority = "cse.example",
			.cse_id = "",
			.connections = 4,
			.connect_timeout_ms = 1000,
			.timeout_ms = 1000,
			.keepalive_ms = 60000,
			.max_waiting = 1 << 20,
			.max_answer = 200,
			.weight = 1,
		},
	};
	ck_assert_int_eq(reactor_create(&rig->r), 0);
	ck_assert_int_eq(server_listen(&rig->server, reactor_loop(rig->r),
				       "127.0.0.1"), 0);
	rig->conf.port = rig->server.port;
	rig->server.heard = &rig->heard;
	uv_timer_init(reactor_loop(rig->r), &rig->tick);
	rig->tick.data = rig;
	uv_timer_start(&rig->tick, on_tick, 1, 1);
}

static inline void rig_create(struct rig *rig)
{
	ck_assert_int_eq(backend_http_create(&rig->b, rig->r, &rig->conf, 1,
					     &codec_conf), 0);
	ck_assert(rig->b->ops->healthy(rig->b));
}

static inline void rig_run(struct rig *rig, unsigned until)
{
	rig->until = until;
	reactor_run(rig->r);
}

static inline void rig_end(struct rig *rig)
{
	backend_destroy(rig->b);
	uv_close((uv_handle_t *)&rig->tick, NULL);
	server_close(&rig->server);
	buf_deinit(&rig->log);
	reactor_destroy(rig->r);
}

static inline int submit(struct rig *rig, struct one *one, enum op op,
		  const char *rqi, const char **why)
{
	struct prim p = { 0 };
	int err;

	prim_reset(&p, PRIM_REQUEST);
	p.op = op;
	prim_set_str(&p, PARAM_RQI, str_of(rqi));
	prim_set_str(&p, PARAM_TO, STR("cse-in/ae"));
	prim_set_str(&p, PARAM_FR, STR("CAdmin"));
	prim_set_str(&p, PARAM_RVI, STR("3"));
	if (op == OP_CREATE) {
		prim_set(&p, PARAM_TY, VALUE_NUMBER, STR("4"));
		p.content = STR("{\"m2m:cin\":{\"con\":\"1\"}}");
	}
	snprintf(one->rqi, sizeof(one->rqi), "%s", rqi);
	one->rig = rig;
	one->x.ops = &exchange_ops;
	err = backend_submit(rig->b, &one->x, &p, why);
	prim_deinit(&p);
	return err;
}

static inline void submit_ok(struct rig *rig, size_t nth, enum op op,
		      const char *rqi)
{
	unsigned heard = rig->heard;
	const char *why;

	ck_assert_int_eq(submit(rig, &rig->ones[nth], op, rqi, &why), 0);
	ck_assert_ptr_nonnull(rig->ones[nth].x.impl);
	ck_assert_uint_eq(rig->heard, heard);
}

static inline void check_log(const char *name, struct rig *rig, const char *want)
{
	buf_add_char(&rig->log, '\0');
	ck_assert_msg(strcmp(rig->log.p, want) == 0, "%s:\n got: %s\nwant: %s",
		      name, rig->log.p, want);
}

static inline void destroy_backend(struct rig *rig)
{
	backend_destroy(rig->b);
	rig->b = NULL;
}

#endif
