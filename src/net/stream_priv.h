#ifndef NET_STREAM_PRIV_H
#define NET_STREAM_PRIV_H

#include "net/stream.h"
#include "net/tls.h"
#include "handshaker_priv.h"
#include "reactor_priv.h"

enum stream_state {
	STREAM_CONNECTING,	/* output gathers, nothing is read */
	STREAM_OPEN,
	STREAM_RELEASED,	/* no owner: the last output leaves */
	STREAM_ENDED,		/* the owner has been told */
	STREAM_CLOSING,		/* freed by the close callback */
};

/* What the kernel did not take at once; lives until libuv is done with it. */
struct stream_rest {
	uv_write_t req;
	struct stream *stream;
	struct buf bytes;
};

struct stream {
	union {
		uv_handle_t any;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} h;
	struct reactor *r;		/* borrowed */
	TAILQ_ENTRY(stream) link;	/* in r->streams */

	const struct stream_ops *ops;	/* NULL once released */
	void *owner;
	size_t max_queue;
	struct sockaddr_in6 *told;	/* owned, or as IPv4; NULL: the kernel
					 * knows the peer */

	enum stream_state state;	/* stream_enter() only */
	bool reading;			/* the owner wants more */
	bool watched;			/* and libuv looks for it */
	bool is_denied;			/* this one read */
	bool is_due;			/* was held, and is read next */
	bool sends_much;		/* the last read was large */
	bool is_asked;			/* a server */
	uint64_t last_read;		/* r->turn then */
	unsigned char small_reads;	/* in a row, as far as it matters */
	unsigned char read_shift;	/* it is read by the 2^n-th part */
	struct stream_list *held_in;	/* until a later turn; or NULL */
	TAILQ_ENTRY(stream) held_link;
	uint64_t had_its_turn;		/* r->turn of the last full read */
	bool is_dirty;
	TAILQ_ENTRY(stream) dirty_link;	/* in r->dirty */
	struct buf out;			/* appended, not yet offered */
	struct tls *tls;		/* owned, or NULL */
	struct handshaker *shaker;	/* borrowed, or NULL */
	struct handshake *step;		/* while it is at work on tls */
	struct buf sealed;		/* by it; not yet offered */
	struct stream_rest *rest;	/* offered, not yet taken; owned */
	bool owes_drain;		/* on_drain is due when all is taken */
	uint64_t last_active;		/* loop ms */
	struct timeout linger;		/* while released */
};

/* The connection is of no more use: tells the owner, if there is one. */
void stream_end(struct stream *s, int err);

/* Nobody reads from a peer that does not take its answers, or whose handshake
 * is being worked on. */
void stream_gate(struct stream *s);

/* There is output for the end of the turn. */
void stream_mark_dirty(struct stream *s);

/* Reads or not, as it is wanted and held. */
void stream_watch(struct stream *s);

/* turns.c: true: nothing is to be read now, and turns_took_none() follows. */
bool turns_deny(struct stream *s);
void turns_took_none(struct stream *s);
/* A new one; it is a server that we ask, or not. */
void turns_begin(struct stream *s, bool is_asked);
/* How many octets it may be read at a time; how long working them off took. */
size_t turns_read_size(const struct stream *s);
void turns_worked(struct stream *s, uint64_t ns);
/* n octets have been read. */
void turns_took(struct stream *s, size_t n);
void turns_forget(struct stream *s);

/* stream_tls.c. Encrypts what was appended, as far as the handshake allows,
 * and the last word of a released stream. */
MUST_CHECK int stream_seal(struct stream *s);

/* The handshake is over. */
bool stream_is_sealable(const struct stream *s);

/* Decrypts and hands over. Without octets, a client begins. */
void stream_unseal(struct stream *s, struct str octets);

/* What the kernel holds says nothing to the owner: tickets, keys. fd is the
 * stream's. */
bool stream_tls_is_quiet(struct stream *s, int fd);

void stream_drop_tls(struct stream *s);

#endif
