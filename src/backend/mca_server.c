#include "backend/mca_server.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct mca_conn {
	struct mca_server *server;	/* borrowed */
	LIST_ENTRY(mca_conn) link;
	struct http_server *http;	/* owned */

	struct exchange x;
	bool pending;			/* x is at the backend */
	struct http_map_reply reply;	/* to the request at hand */
	struct buf ids;			/* rqi and rvi of it */
	size_t rqi_len;
};

struct mca_server {
	struct reactor *r;		/* borrowed, as are the next two */
	struct backend *backend;
	const struct mca_server_conf *conf;
	struct listener *listener;	/* owned */
	LIST_HEAD(, mca_conn) conns;	/* owned */
	unsigned conn_count;
	uint64_t refused;
	struct prim request, answer;	/* scratch */
	struct buf out;
};

static void conn_destroy(struct mca_conn *c)
{
	if (c->pending)
		backend_cancel(c->server->backend, &c->x);
	LIST_REMOVE(c, link);
	c->server->conn_count--;
	http_server_destroy(c->http);
	buf_deinit(&c->ids);
	free(c);
}

/* What is in server->out, unless err says that nothing is. */
static void send_out(struct mca_conn *c, int err)
{
	if (!err)
		err = http_server_respond(c->http, buf_str(&c->server->out),
					  c->reply.close);
	if (err)
		conn_destroy(c);
}

static void refuse(struct mca_conn *c, int rsc, const char *why)
{
	struct mca_server *s = c->server;
	struct str rqi = { c->ids.p, c->rqi_len };

	c->pending = false;
	prim_refuse(&s->answer, rqi, str_skip(buf_str(&c->ids), c->rqi_len),
		    rsc, why);
	buf_clear(&s->out);
	send_out(c, http_map_write_response(&s->out, &why, &s->answer,
					    &c->reply));
}

static void respond(struct mca_conn *c, const struct prim *answer)
{
	struct mca_server *s = c->server;
	const char *why;

	c->pending = false;
	buf_clear(&s->out);
	if (http_map_write_response(&s->out, &why, answer, &c->reply) != 0)
		refuse(c, RSC_INTERNAL_SERVER_ERROR, why);
	else
		send_out(c, 0);
}

static void on_answer(struct exchange *x, const struct prim *answer)
{
	respond(container_of(x, struct mca_conn, x), answer);
}

static void on_fail(struct exchange *x, int err, const char *why)
{
	(void)err;
	refuse(container_of(x, struct mca_conn, x),
	       RSC_INTERNAL_SERVER_ERROR, why);
}

static const struct exchange_ops exchange_ops = {
	.on_answer = on_answer,
	.on_fail = on_fail,
};

static int rsc_of(int err)
{
	switch (err) {
	case ERR_PROTO:
		return RSC_BAD_REQUEST;
	case ERR_LIMIT:
		return RSC_TARGET_NOT_REACHABLE;
	default:
		return RSC_INTERNAL_SERVER_ERROR;
	}
}

static void keep_ids(struct mca_conn *c, const struct prim *p)
{
	struct str rqi = prim_text(p, PARAM_RQI);

	buf_clear(&c->ids);
	buf_add_str(&c->ids, rqi);
	buf_add_str(&c->ids, prim_text(p, PARAM_RVI));
	c->rqi_len = c->ids.failed ? 0 : rqi.len;
	if (c->ids.failed)
		buf_clear(&c->ids);
}

static void on_request(void *owner, const struct http_msg *msg)
{
	struct mca_conn *c = owner;
	struct mca_server *s = c->server;
	const char *why = NULL;
	int err, rsc;

	c->reply = (struct http_map_reply){
		.format = http_map_pick_format(msg, FORMAT_JSON),
		.close = !msg->keep_alive,
		.codec = s->conf->map.codec,
	};
	err = http_map_read_request(&s->request, &why, msg, &s->conf->map);
	keep_ids(c, &s->request);
	if (err) {
		c->reply.close = true;	/* a wrong length cuts anywhere */
		refuse(c, err == ERR_UNSUPPORTED ? RSC_UNSUPPORTED_MEDIA_TYPE :
						   RSC_BAD_REQUEST, why);
		return;
	}
	rsc = prim_check_request(&why, &s->request, clock_wall_ms());
	if (rsc != 0) {
		if (rsc == RSC_BAD_REQUEST)
			c->reply.close = true;
		refuse(c, rsc, why);
		return;
	}
	c->x = (struct exchange){ .ops = &exchange_ops };
	err = backend_submit(s->backend, &c->x, &s->request, &why);
	if (err)
		refuse(c, rsc_of(err), why);
	else
		c->pending = true;
}

static void on_end(void *owner, int status)
{
	(void)status;
	conn_destroy(owner);
}

static const struct http_server_ops http_ops = { on_request, on_end };

static void on_connection(void *owner, int fd)
{
	struct mca_server *s = owner;
	struct mca_conn *c = NULL;
	struct stream *stream;

	if (s->conn_count < s->conf->max_connections)
		c = calloc(1, sizeof(*c));
	else
		s->refused++;
	if (c == NULL) {
		close(fd);
		return;
	}
	c->server = s;
	if (stream_accept(&stream, s->r, fd, s->conf->max_queue, NULL, NULL) ||
	    http_server_create(&c->http, stream, &s->conf->http, &http_ops,
			       c)) {
		free(c);
		return;
	}
	LIST_INSERT_HEAD(&s->conns, c, link);
	s->conn_count++;
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	log_warning("accept_paused", LOG_TEXT("listener", "store"),
		    LOG_ERRNO(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };

int mca_server_create(struct mca_server **out, struct reactor *r,
		      struct backend *backend,
		      const struct mca_server_conf *conf)
{
	struct mca_server *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return UV_ENOMEM;
	s->r = r;
	s->backend = backend;
	s->conf = conf;
	LIST_INIT(&s->conns);
	err = listener_create(&s->listener, r,
			      (const struct sockaddr *)&conf->addr, false,
			      &listener_ops, s);
	if (err) {
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void mca_server_destroy(struct mca_server *s)
{
	if (s == NULL)
		return;
	listener_destroy(s->listener);
	while (!LIST_EMPTY(&s->conns))
		conn_destroy(LIST_FIRST(&s->conns));
	prim_deinit(&s->request);
	prim_deinit(&s->answer);
	buf_deinit(&s->out);
	free(s);
}

unsigned mca_server_port(const struct mca_server *s)
{
	return listener_port(s->listener);
}

uint64_t mca_server_refused(const struct mca_server *s)
{
	return s->refused;
}
