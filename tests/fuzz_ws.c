/*
 * Frames and messages: the same octets, whole and in pieces of a size that
 * the input chooses, must be heard the same and answered the same.
 */
#include "ws_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ws_rig rig;

struct outcome {
	struct buf heard, out;
	unsigned code;
};

/* After a Close the rest of the octets has no session to go to. */
static void play(struct outcome *o, struct str in, size_t piece)
{
	rig_connect(&rig);
	while (in.len > 0 && rig.ws != NULL) {
		size_t n = in.len < piece ? in.len : piece;

		ws_session_feed(rig.ws, (struct str){ in.p, n });
		in = str_skip(in, n);
	}
	rig_turn(&rig, 1);
	o->code = rig.code;
	buf_add_str(&o->heard, buf_str(&rig.heard));
	buf_add_str(&o->out, buf_str(&rig.out));
	rig_disconnect(&rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = { 0 }, pieces = { 0 };
	struct str in = { (const char *)data, size };

	if (size < 2)
		return 0;
	if (rig.reactor == NULL) {
		rig_init(&rig);
		rig.conf.max_message = 4096;
	}
	in = str_skip(in, 1);
	play(&whole, in, in.len);
	play(&pieces, in, data[0] % 32 + 1);
	if (whole.code != pieces.code ||
	    !str_eq(buf_str(&whole.heard), buf_str(&pieces.heard)) ||
	    !str_eq(buf_str(&whole.out), buf_str(&pieces.out)))
		abort();
	buf_deinit(&whole.heard);
	buf_deinit(&whole.out);
	buf_deinit(&pieces.heard);
	buf_deinit(&pieces.out);
	return 0;
}
