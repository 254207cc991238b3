#ifndef BACKEND_MCA_SERVER_H
#define BACKEND_MCA_SERVER_H

#include "backend/backend.h"
#include "backend/http_map.h"
#include "http/http_server.h"
#include "net/listener.h"

/*
 * Mca over HTTP (TS-0009) in front of a backend: what makes the embedded CSE
 * a CSE that others, the gateway itself among them, can talk to.
 */
struct mca_server;

struct mca_server_conf {
	struct sockaddr_storage addr;
	struct http_server_conf http;
	struct http_map_conf map;
	size_t max_queue;		/* octets of an answer not yet sent */
	unsigned max_connections;
};

/* conf is borrowed, backend too; both outlive it. */
MUST_CHECK int mca_server_create(struct mca_server **out, struct reactor *r,
				 struct backend *backend,
				 const struct mca_server_conf *conf);
void mca_server_destroy(struct mca_server *s);	/* accepts NULL */
unsigned mca_server_port(const struct mca_server *s);

/* Closed unheard: max_connections bit. */
uint64_t mca_server_refused(const struct mca_server *s);

#endif
