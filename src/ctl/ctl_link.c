#include "ctl_link.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/http_url.h"
#include "ws/ws_ask.h"
#include "ws/ws_handshake.h"
#include "ws/ws_session.h"

#define QUEUE_MAX (64u << 20)
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static const struct ws_conf ws_conf = {
	.client = true,
	.max_message = 64u << 20,
	.max_unfinished = 64u << 20,
	.max_fragments = 1000000,
	.message_timeout_ms = 60000,
	.ping_interval_ms = 30000,
	.pong_timeout_ms = 20000,
	.close_timeout_ms = 3000,
};

static const struct http_limits limits = { 65536, 100, 65536 };

struct ctl_link {
	struct reactor *r;		/* borrowed */
	const struct ctl_link_ops *ops;
	void *owner;

	struct buf url_text;		/* owned; url points into it */
	struct http_url url;
	struct buf authority;		/* owned, as all below */
	struct ws_ask ask;
	char key[WS_KEY_LEN + 1];

	struct tls_context *tls;	/* NULL: ws: */
	struct tls_fault fault;		/* of it */
	struct addrinfo *addresses;
	const struct addrinfo *next;	/* to be tried */
	struct stream *stream;		/* before there is a ws */
	bool connected;
	struct http_parser *parser;
	struct ws_pool *pool;
	struct ws_session *ws;
};

static void end(struct ctl_link *l, const char *what, const char *why)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s", what,
		 why[0] != '\0' ? ": " : "", why);
	l->ops->on_end(l->owner, text);
}

/* ---- open ---- */

static void on_ws_message(void *owner, struct str message, bool text)
{
	struct ctl_link *l = owner;

	(void)text;
	l->ops->on_message(l->owner, message);
}

static void on_ws_close(void *owner, unsigned code)
{
	struct ctl_link *l = owner;
	char text[64];

	snprintf(text, sizeof(text), "the gateway closed with %u", code);
	end(l, code == WS_CLOSE_ABNORMAL ? "the connection broke" : text, "");
}

static const struct ws_session_ops ws_ops = { on_ws_message, on_ws_close };

/* ---- the handshake ---- */

/* A refusal says why in its body, or only by its status. */
static void end_refused(struct ctl_link *l, const struct http_msg *answer,
			const char *fault)
{
	char text[160];

	if (answer->status == 101) {
		end(l, "the handshake failed", fault);
		return;
	}
	snprintf(text, sizeof(text), "%d %s%s%.*s", answer->status,
		 http_status_text(answer->status),
		 answer->body.len > 0 ? ", " : "",
		 (int)(answer->body.len < 100 ? answer->body.len : 100),
		 answer->body.len > 0 ? answer->body.p : "");
	end(l, "the handshake was refused", text);
}

static void upgrade(struct ctl_link *l, struct str rest)
{
	struct stream *stream = l->stream;
	int err;

	l->stream = NULL;
	err = ws_session_create(&l->ws, l->pool, stream, &ws_ops, l);
	if (err) {
		end(l, err_text(err), "");
		return;
	}
	l->ops->on_open(l->owner);
	if (rest.len > 0)
		ws_session_feed(l->ws, rest);
}

static void on_data(void *owner, const char *data, size_t len)
{
	struct ctl_link *l = owner;
	ssize_t n = http_parser_feed(l->parser, data, len);
	const struct http_msg *answer;
	const char *fault;

	if (n < 0) {
		end(l, "no answer of HTTP", http_parser_why(l->parser));
		return;
	}
	answer = http_parser_message(l->parser);
	if (answer == NULL)
		return;
	fault = ws_ask_fault(answer, &l->ask, l->key);
	if (fault != NULL)
		end_refused(l, answer, fault);
	else
		upgrade(l, (struct str){ data + n, len - (size_t)n });
}

static void on_connect(void *owner)
{
	struct ctl_link *l = owner;
	struct buf head = { 0 };
	int err = ws_ask_write(&head, &l->ask, l->key);

	l->connected = true;
	if (!err)
		err = stream_write(l->stream, buf_str(&head));
	buf_deinit(&head);
	if (err)
		end(l, "the handshake cannot be written", err_text(err));
}

static int connect_next(struct ctl_link *l);

static void on_end(void *owner, int err)
{
	struct ctl_link *l = owner;

	stream_destroy(l->stream);
	l->stream = NULL;
	if (!l->connected && connect_next(l) == 0)
		return;
	end(l, l->connected ? "the connection ended within the handshake" :
			      "cannot connect", err_text(err));
}

static const struct stream_ops stream_ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_connect = on_connect,
};

static int connect_to(struct ctl_link *l, const struct sockaddr *addr)
{
	struct tls *tls = NULL;
	int err = l->tls != NULL ? tls_create(&tls, l->tls) : 0;

	if (!err)
		err = stream_connect_tcp(&l->stream, l->r, addr, QUEUE_MAX,
					 &stream_ops, l);
	if (!err && tls != NULL)
		stream_take_tls(l->stream, tls, NULL);
	else
		tls_destroy(tls);
	return err;
}

static int connect_next(struct ctl_link *l)
{
	int err = UV_EHOSTUNREACH;

	while (l->next != NULL && err) {
		err = connect_to(l, l->next->ai_addr);
		l->next = l->next->ai_next;
	}
	return err;
}

/* ---- life ---- */

/* ws: and wss: are to WebSocket what http: and https: are to HTTP. */
static const char *read_url(struct ctl_link *l, const char *text)
{
	struct str url = str_of(text);
	enum http_url_fault fault;

	if (!str_istarts(url, STR("ws://")) && !str_istarts(url, STR("wss://")))
		return "does not begin with ws:// or wss://";
	buf_add_lit(&l->url_text, "http");
	buf_add_str(&l->url_text, str_skip(url, 2));
	if (l->url_text.failed)
		return "out of memory";
	fault = http_url_parse(&l->url, buf_str(&l->url_text));
	return fault == HTTP_URL_FINE ? NULL : http_url_why(fault);
}

static void fill_ask(struct ctl_link *l, const struct ctl_link_conf *conf)
{
	struct str path = l->url.path;

	http_url_write_authority(&l->authority, &l->url);
	/* the query stands behind the path, after its question mark */
	if (l->url.has_query)
		path.len += 1 + l->url.query.len;
	l->ask = (struct ws_ask){
		.authority = buf_str(&l->authority),
		.target = path,
		.subprotocol = ws_handshake_subprotocol(FORMAT_JSON),
		.originator = conf->originator != NULL ?
				      str_of(conf->originator) : STR(""),
		.token = conf->token != NULL ? str_of(conf->token) : STR(""),
	};
}

static const char *open_tls(struct ctl_link *l, const char *host,
			    const char *ca)
{
	const struct tls_client_conf conf = {
		.host = host,
		.ca_file = ca != NULL ? ca : SYSTEM_CA,
	};
	int err = tls_context_create_client(&l->tls, &l->fault, &conf);

	if (err == ERR_PROTO)
		return l->fault.why;
	return err ? err_text(err) : NULL;
}

static const char *resolve(struct ctl_link *l, const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char port[16];
	int rc;

	snprintf(port, sizeof(port), "%u", l->url.port);
	rc = getaddrinfo(host, port, &hints, &l->addresses);
	l->next = l->addresses;
	return rc == 0 ? NULL : gai_strerror(rc);
}

static const char *open_link(struct ctl_link *l,
			     const struct ctl_link_conf *conf)
{
	const char *why = read_url(l, conf->url);
	char host[HTTP_URL_HOST_MAX + 1];
	int err;

	if (why != NULL)
		return why;
	memcpy(host, l->url.host.p, l->url.host.len);
	host[l->url.host.len] = '\0';
	why = l->url.tls ? open_tls(l, host, conf->ca) : NULL;
	if (why == NULL)
		why = resolve(l, host);
	if (why != NULL)
		return why;
	fill_ask(l, conf);
	err = ws_ask_key(l->key);
	if (!err)
		err = http_parser_create(&l->parser, HTTP_KIND_RESPONSE,
					 &limits);
	if (!err)
		http_parser_expect_upgrade(l->parser);
	if (!err)
		err = ws_pool_create(&l->pool, l->r, &ws_conf);
	if (!err)
		err = connect_next(l);
	return err ? err_text(err) : NULL;
}

int ctl_link_create(struct ctl_link **out, char why[CTL_LINK_WHY_MAX],
		    struct reactor *r, const struct ctl_link_conf *conf,
		    const struct ctl_link_ops *ops, void *owner)
{
	struct ctl_link *l = calloc(1, sizeof(*l));
	const char *reason;

	snprintf(why, CTL_LINK_WHY_MAX, "out of memory");
	if (l == NULL)
		return UV_ENOMEM;
	l->r = r;
	l->ops = ops;
	l->owner = owner;
	reason = open_link(l, conf);
	if (reason != NULL) {
		snprintf(why, CTL_LINK_WHY_MAX, "%.*s", CTL_LINK_WHY_MAX - 1,
			 reason);
		ctl_link_destroy(l);
		return UV_EINVAL;
	}
	*out = l;
	return 0;
}

void ctl_link_destroy(struct ctl_link *l)
{
	if (l == NULL)
		return;
	ws_session_destroy(l->ws);
	stream_destroy(l->stream);
	ws_pool_destroy(l->pool);
	tls_context_destroy(l->tls);
	http_parser_destroy(l->parser);
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	buf_deinit(&l->authority);
	buf_deinit(&l->url_text);
	free(l);
}

int ctl_link_send(struct ctl_link *l, struct str message)
{
	return ws_session_send(l->ws, message, true);
}

void ctl_link_close(struct ctl_link *l)
{
	ws_session_close(l->ws, WS_CLOSE_NORMAL, STR(""));
}
