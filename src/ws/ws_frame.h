#ifndef WS_WS_FRAME_H
#define WS_WS_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <wslay/wslay.h>

#include "net/stream.h"

/*
 * wslay's frame layer for one direction of one connection. A context costs
 * 4 kB, so a session owns one only while a frame is partly received; between
 * frames it borrows. ws_framer_is_clean() tells when it may be given back.
 */
struct ws_framer {
	wslay_frame_context_ptr ctx;	/* owned */

	struct str in;			/* not yet taken by wslay */
	uint64_t fed;			/* octets taken since it was clean */
	uint64_t used;			/* of those, in complete frames */
	uint64_t offset;		/* into the payload of this frame */
	char control[125];		/* payload of a control frame so far */

	struct stream *out;		/* while sending */
	bool masks;			/* what it sends: a client's */
};

/* A part of one frame's payload. */
struct ws_chunk {
	struct wslay_frame_iocb frame;	/* header, and this part's data */
	bool first;			/* of the frame */
	bool last;
};

MUST_CHECK int ws_framer_create(struct ws_framer **out);
void ws_framer_destroy(struct ws_framer *f);

/* 1: chunk is filled, its data good until the next call. 0: all of f->in is
 * used up. ERR_PROTO: the framer is dead. */
MUST_CHECK int ws_framer_next(struct ws_chunk *chunk, struct ws_framer *f);

/* No octet of an unfinished frame is held. */
bool ws_framer_is_clean(const struct ws_framer *f);

/* One unfragmented frame. ERR_LIMIT, UV_ENOMEM, UV_EPIPE: nothing
 * was queued. */
MUST_CHECK int ws_framer_send(struct ws_framer *f, struct stream *to,
			      uint8_t opcode, struct str payload);

#endif
