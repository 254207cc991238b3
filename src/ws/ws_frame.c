#include "ws_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

/* FIN and opcode, length, extended length, a client's key. */
#define MAX_HEADER 14

static ssize_t on_recv(uint8_t *space, size_t len, int flags, void *arg)
{
	struct ws_framer *f = arg;
	size_t n = f->in.len < len ? f->in.len : len;

	(void)flags;
	if (n == 0)
		return -1;		/* wslay: would block */
	memcpy(space, f->in.p, n);
	f->in = str_skip(f->in, n);
	f->fed += n;
	return (ssize_t)n;
}

static ssize_t on_send(const uint8_t *data, size_t len, int flags, void *arg)
{
	struct ws_framer *f = arg;
	struct str bytes = { (const char *)data, len };

	(void)flags;
	return stream_write(f->out, bytes) == 0 ? (ssize_t)len : -1;
}

/* RFC 6455 5.3: from a strong source, which for four octets never fails. */
static int on_genmask(uint8_t *key, size_t len, void *arg)
{
	(void)arg;
	return getrandom(key, len, 0) == (ssize_t)len ? 0 : -1;
}

int ws_framer_create(struct ws_framer **out)
{
	static const struct wslay_frame_callbacks callbacks = {
		.send_callback = on_send,
		.recv_callback = on_recv,
		.genmask_callback = on_genmask,
	};
	struct ws_framer *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return UV_ENOMEM;
	if (wslay_frame_context_init(&f->ctx, &callbacks, f) != 0) {
		free(f);
		return UV_ENOMEM;
	}
	*out = f;
	return 0;
}

void ws_framer_destroy(struct ws_framer *f)
{
	if (f == NULL)
		return;
	wslay_frame_context_free(f->ctx);
	free(f);
}

/* On the wire; wslay has refused lengths that are not the shortest form. */
static uint64_t frame_size(const struct wslay_frame_iocb *frame)
{
	uint64_t extended = frame->payload_length < 126	    ? 0 :
			    frame->payload_length <= 0xffff ? 2 :
							      8;

	return 2 + extended + (frame->mask ? 4 : 0) + frame->payload_length;
}

int ws_framer_next(struct ws_chunk *chunk, struct ws_framer *f)
{
	ssize_t n = wslay_frame_recv(f->ctx, &chunk->frame);

	if (n == WSLAY_ERR_WANT_READ)
		return 0;
	if (n < 0)
		return ERR_PROTO;
	chunk->first = f->offset == 0;
	f->offset += (uint64_t)n;
	chunk->last = f->offset == chunk->frame.payload_length;
	if (chunk->last) {
		f->used += frame_size(&chunk->frame);
		f->offset = 0;
	}
	return 1;
}

bool ws_framer_is_clean(const struct ws_framer *f)
{
	return f->offset == 0 && f->used == f->fed;
}

int ws_framer_send(struct ws_framer *f, struct stream *to, uint8_t opcode,
		   struct str payload)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = opcode,
		.mask = f->masks,
		.payload_length = payload.len,
		.data = (const uint8_t *)payload.p,
		.data_length = payload.len,
	};
	int err = stream_reserve(to, payload.len + MAX_HEADER);
	ssize_t n;

	if (err)
		return err;
	f->out = to;
	n = wslay_frame_send(f->ctx, &frame);
	f->out = NULL;
	assert(n == (ssize_t)payload.len);	/* room was reserved */
	return 0;
}
