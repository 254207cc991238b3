/*
 * An answer may take a visit to all workers, and its connection may end
 * meanwhile, even the whole of admin: the connection's struct lives until the
 * visit is home.
 */
#include "ops/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "admin_priv.h"
#include "base/log.h"
#include "net/addr.h"
#include "net/listener.h"

#define CONNECTIONS_MAX 64
#define QUEUE_MAX	(16u << 20)
#define SOCKET_MODE	0660

static const struct http_server_conf http_conf = {
	.limits = { .max_head = 8192, .max_headers = 64, .max_body = 0 },
	.head_timeout_ms = 10000,
	.idle_timeout_ms = 60000,
};

/* What it has asked for and not heard of. */
static void forget_questions(struct admin_conn *c)
{
	reload_ask_cancel(&c->reload);
	state_call_cancel(&c->call);
	admin_listing_destroy(c->listing);
	c->listing = NULL;
}

static void conn_free(struct admin_conn *c)
{
	buf_deinit(&c->text);
	free(c);
}

void admin_conn_end(struct admin_conn *c)
{
	http_server_destroy(c->http);
	c->http = NULL;
	if (c->admin != NULL) {
		forget_questions(c);
		LIST_REMOVE(c, link);
		c->admin->count--;
	}
	c->admin = NULL;
	if (!c->waits)
		conn_free(c);
}

bool admin_is_back(struct admin_conn *c)
{
	c->waits = false;
	if (c->http != NULL)
		return true;
	conn_free(c);
	return false;
}

/* ---- answers ---- */

/* For browsers: a page shows what it was served with, and nobody else's page
 * shows it; whatever comes as text stays text. */
#define HEADERS \
	"Cache-Control: no-store\r\n" \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; " \
	"style-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; " \
	"base-uri 'none'; frame-ancestors 'none'; form-action 'none'\r\n" \
	"Referrer-Policy: no-referrer\r\n" \
	"X-Content-Type-Options: nosniff\r\n"

static int write_answer(struct admin_conn *c, int status, const char *type,
			struct str body)
{
	struct buf out = { 0 };
	int err;

	buf_add_lit(&out, "HTTP/1.1 ");
	buf_add_u64(&out, (uint64_t)status);
	buf_add_char(&out, ' ');
	buf_add_str(&out, str_of(http_status_text(status)));
	buf_add_lit(&out, "\r\nContent-Type: ");
	buf_add_str(&out, str_of(type));
	buf_add_lit(&out, "\r\nContent-Length: ");
	buf_add_u64(&out, body.len);
	buf_add_lit(&out, "\r\n" HEADERS "\r\n");
	buf_add_str(&out, body);
	err = out.failed ? UV_ENOMEM :
			   http_server_respond(c->http, buf_str(&out), false);
	buf_deinit(&out);
	return err;
}

void admin_respond(struct admin_conn *c, int status, const char *type,
		   struct str body)
{
	if (write_answer(c, status, type, body) != 0)
		admin_conn_end(c);
}

void admin_respond_text(struct admin_conn *c, int status, const char *text)
{
	admin_respond(c, status, "text/plain", str_of(text));
}

void admin_respond_json(struct admin_conn *c, int status, json_t *body)
{
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	if (text != NULL)
		admin_respond(c, status, "application/json", str_of(text));
	else
		admin_conn_end(c);
	free(text);
}

void admin_fail(struct admin_conn *c, int status, const char *why)
{
	admin_respond_json(c, status, json_pack("{s:s}", "error", why));
}

/* The only place where a code becomes an answer. */
void admin_fail_err(struct admin_conn *c, int err)
{
	admin_fail(c, err == UV_ENOENT ? 404 : err == UV_ECANCELED ? 503 : 500,
		   err_text(err));
}

json_t *admin_json_str(struct str text)
{
	json_t *value = json_stringn(text.len > 0 ? text.p : "", text.len);
	struct buf ascii = { 0 };

	if (value != NULL)
		return value;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] < 128)
			buf_add_char(&ascii, text.p[i]);
	if (!ascii.failed)
		value = json_stringn(ascii.len > 0 ? ascii.p : "", ascii.len);
	buf_deinit(&ascii);
	return value;
}

void admin_set_str(json_t *obj, const char *name, struct str text)
{
	json_object_set_new(obj, name, admin_json_str(text));
}

void admin_set_u64(json_t *obj, const char *name, uint64_t n)
{
	json_object_set_new(obj, name, json_integer((json_int_t)n));
}

/* ---- connections ---- */

static void on_request(void *owner, const struct http_msg *req)
{
	admin_route(owner, req);
}

static void on_end(void *owner, int status)
{
	(void)status;
	admin_conn_end(owner);
}

static const struct http_server_ops http_ops = { on_request, on_end };

static void accept_conn(struct admin *a, int fd, bool is_local)
{
	struct admin_conn *c = NULL;
	struct stream *stream;

	if (a->count < CONNECTIONS_MAX)
		c = calloc(1, sizeof(*c));
	if (c == NULL) {
		close(fd);
		return;
	}
	c->is_local = is_local;
	if (stream_accept(&stream, gateway_reactor(a->gw), fd, QUEUE_MAX, NULL,
			  NULL) != 0 ||
	    http_server_create(&c->http, stream, &http_conf, &http_ops, c) !=
		    0) {
		free(c);
		return;
	}
	c->admin = a;
	a->count++;
	LIST_INSERT_HEAD(&a->conns, c, link);
}

static void on_connection(void *owner, int fd)
{
	accept_conn(owner, fd, false);
}

static void on_local_connection(void *owner, int fd)
{
	accept_conn(owner, fd, true);
}

static void on_refused(void *owner, int err)
{
	(void)owner;
	log_warning("accept_paused", LOG_TEXT("listener", "admin"),
		    LOG_ERRNO(err));
}

static const struct listener_ops listener_ops = { on_connection, on_refused };
static const struct listener_ops socket_ops = { on_local_connection,
						on_refused };

static int listen_there(struct admin *a, const struct admin_conf *conf)
{
	const struct sockaddr *addr = (const struct sockaddr *)&conf->addr;
	char space[64];
	int err;

	if (addr->sa_family == 0)
		return 0;
	err = listener_create(&a->listener, gateway_reactor(a->gw), addr,
			      false, &listener_ops, a);
	if (err)
		log_error("listen_failed", LOG_TEXT("listener", "admin"),
			  LOG_STR("address",
				  addr_text(addr, space, sizeof(space))),
			  LOG_ERRNO(err));
	return err;
}

static int open_socket(struct admin *a, const struct admin_conf *conf)
{
	int err;

	if (conf->socket == NULL || conf->socket[0] == '\0')
		return 0;
	err = listener_create_unix(&a->socket, gateway_reactor(a->gw),
				   conf->socket, SOCKET_MODE, &socket_ops, a);
	if (err)
		log_error("listen_failed", LOG_TEXT("listener", "admin"),
			  LOG_TEXT("address", conf->socket), LOG_ERRNO(err));
	return err;
}

int admin_create(struct admin **out, struct gateway *gw,
		 struct reloader *reloader, const struct admin_conf *conf)
{
	struct admin *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL)
		return UV_ENOMEM;
	a->gw = gw;
	a->reloader = reloader;
	a->console = conf->console;
	a->started_ms = reactor_now(gateway_reactor(gw));
	LIST_INIT(&a->conns);
	LIST_INIT(&a->traces);
	err = state_mailbox_create(&a->mailbox, gateway_state(gw),
				   reactor_loop(gateway_reactor(gw)));
	if (!err)
		err = listen_there(a, conf);
	if (!err)
		err = open_socket(a, conf);
	if (err) {
		admin_destroy(a);
		return err;
	}
	*out = a;
	return 0;
}

void admin_destroy(struct admin *a)
{
	if (a == NULL)
		return;
	listener_destroy(a->listener);
	listener_destroy(a->socket);
	while (!LIST_EMPTY(&a->conns))
		admin_conn_end(LIST_FIRST(&a->conns));
	admin_end_traces(a);
	state_mailbox_destroy(a->mailbox);
	free(a);
}

unsigned admin_port(const struct admin *a)
{
	return a->listener != NULL ? listener_port(a->listener) : 0;
}
