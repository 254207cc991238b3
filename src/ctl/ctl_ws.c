#include "ctl_ws.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "ctl_link.h"
#include "ctl_show.h"
#include "ctl_table.h"
#include "m2m/codec.h"

#define TIMEOUT_MS 60000	/* for the answer, of whatever CSE */
#define RVI	   "3"

static const struct codec_conf codec_conf = { 512, 16u << 20 };

/* One conversation. */
struct talk {
	const struct ctl_args *args;	/* borrowed */
	struct reactor *r;		/* owned, as all below */
	struct ctl_link *link;
	struct prim prim;		/* the one at hand */
	struct buf out;
	char rqi[24];			/* of our request; "": listens */
	uint64_t heard;			/* requests */
	int status;			/* to exit with */
	bool done;
	struct timeout deadline;
};

/* Nothing more is awaited: the Close is. */
static void finish(struct talk *t, int status)
{
	t->status = status;
	t->done = true;
	reactor_disarm(t->r, &t->deadline);
	ctl_link_close(t->link);
}

static void print_text(struct str text)
{
	struct buf out = { 0 };

	ctl_add_visible(&out, text);
	buf_add_char(&out, '\n');
	fwrite(out.p, 1, out.len, stdout);
	buf_deinit(&out);
}

/* ---- requests that come ---- */

static void print_request(const struct talk *t, struct str message)
{
	struct str to = prim_text(&t->prim, PARAM_TO);

	if (t->args->json) {
		fwrite(message.p, 1, message.len, stdout);
		fputc('\n', stdout);
	} else {
		printf("%s ", op_name(t->prim.op));
		print_text(to);
		if (t->prim.content.p != NULL)
			print_text(t->prim.content);
	}
	fflush(stdout);
}

static void answer(struct talk *t)
{
	struct prim ok = { .kind = PRIM_RESPONSE, .rsc = RSC_OK };
	const char *why;

	prim_set_str(&ok, PARAM_RQI, prim_text(&t->prim, PARAM_RQI));
	if (prim_has(&t->prim, PARAM_RVI))
		prim_set_str(&ok, PARAM_RVI, prim_text(&t->prim, PARAM_RVI));
	buf_clear(&t->out);
	if (codec_json.encode(&t->out, &why, &codec_conf, &ok) != 0 ||
	    ctl_link_send(t->link, buf_str(&t->out)) != 0)
		ctl_complain("an answer could not be sent", NULL);
	prim_deinit(&ok);
}

static void on_request(struct talk *t, struct str message)
{
	bool listens = t->rqi[0] == '\0';

	if (listens)
		print_request(t, message);
	answer(t);
	if (listens && ++t->heard == t->args->count)
		finish(t, CTL_FINE);
}

/* ---- the answer to ours ---- */

/* For people, with its lines apart; numbers as they are, as far as they fit. */
static void print_content(struct str content)
{
	json_t *value = json_loadb(content.p, content.len, JSON_DECODE_ANY,
				   NULL);
	char *text = value == NULL ? NULL :
		json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY |
					  JSON_REAL_PRECISION(15));
	struct str rest = text != NULL ? str_of(text) : content, line;

	while (rest.len > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		print_text(line);
	}
	free(text);
	json_decref(value);
}

static void on_answer(struct talk *t, struct str message)
{
	const struct prim *p = &t->prim;

	if (!str_eq(prim_text(p, PARAM_RQI), str_of(t->rqi)))
		return;
	if (t->args->json) {
		fwrite(message.p, 1, message.len, stdout);
		fputc('\n', stdout);
	} else {
		printf("%d\n", p->rsc);
		if (p->content.p != NULL)
			print_content(p->content);
	}
	finish(t, p->rsc >= 1000 && p->rsc < 3000 ? CTL_FINE : CTL_FAILED);
}

static void on_message(void *owner, struct str message)
{
	struct talk *t = owner;
	const char *why = "";

	if (t->done)
		return;
	if (codec_json.decode(&t->prim, &why, &codec_conf, message) != 0) {
		ctl_complain("a message that is no primitive", why);
		finish(t, CTL_FAILED);
	} else if (t->prim.kind == PRIM_REQUEST) {
		on_request(t, message);
	} else if (t->rqi[0] != '\0') {
		on_answer(t, message);
	}
}

/* ---- our request ---- */

int ctl_ws_op(const char *text)
{
	for (int op = OP_CREATE; op <= OP_NOTIFY; op++) {
		const char digit[] = { (char)('0' + op), '\0' };

		if (strcmp(text, digit) == 0 ||
		    str_ieq(str_of(text), str_of(op_name((enum op)op))))
			return op;
	}
	return OP_NONE;
}

static int write_request(struct talk *t)
{
	const struct ctl_args *a = t->args;
	struct prim p = { .kind = PRIM_REQUEST };
	const char *why;
	char type[24];
	int err;

	p.op = (enum op)ctl_ws_op(a->operands[1]);
	prim_set_str(&p, PARAM_TO, str_of(a->operands[2]));
	if (a->originator != NULL)
		prim_set_str(&p, PARAM_FR, str_of(a->originator));
	prim_set_str(&p, PARAM_RQI, str_of(t->rqi));
	prim_set_str(&p, PARAM_RVI, STR(RVI));
	if (a->type >= 0) {
		snprintf(type, sizeof(type), "%" PRId64, a->type);
		prim_set(&p, PARAM_TY, VALUE_NUMBER, str_of(type));
	}
	if (a->content != NULL)
		p.content = str_of(a->content);
	buf_clear(&t->out);
	err = codec_json.encode(&t->out, &why, &codec_conf, &p);
	prim_deinit(&p);
	return err;
}

static void on_open(void *owner)
{
	struct talk *t = owner;
	int err;

	if (t->rqi[0] == '\0')
		return;
	err = write_request(t);
	if (!err)
		err = ctl_link_send(t->link, buf_str(&t->out));
	if (!err)
		return;
	ctl_complain("the request could not be sent", err_text(err));
	finish(t, CTL_FAILED);
}

static void on_end(void *owner, const char *why)
{
	struct talk *t = owner;

	if (!t->done)
		ctl_complain(t->args->operands[0], why);
	reactor_stop(t->r);
}

static const struct ctl_link_ops link_ops = { on_open, on_message, on_end };

static void on_deadline(struct timeout *timeout)
{
	struct talk *t = container_of(timeout, struct talk, deadline);

	ctl_complain(t->args->operands[0], "no answer");
	reactor_stop(t->r);
}

static int talk(const struct ctl_args *args, struct talk *t)
{
	const struct ctl_link_conf conf = {
		.url = args->operands[0],
		/* who only sends says it in the request, where it may be one
		 * that is about to register */
		.originator = t->rqi[0] == '\0' ? args->originator : NULL,
		.token = args->token,
		.ca = args->ca,
	};
	char why[CTL_LINK_WHY_MAX];

	t->args = args;
	t->status = CTL_FAILED;
	t->deadline.on_timeout = on_deadline;
	if (reactor_create(&t->r) != 0)
		return CTL_FAILED;
	if (ctl_link_create(&t->link, why, t->r, &conf, &link_ops, t) != 0) {
		ctl_complain(args->operands[0], why);
	} else {
		if (t->rqi[0] != '\0')
			reactor_arm(t->r, &t->deadline, TIMEOUT_MS);
		reactor_run(t->r);
	}
	reactor_disarm(t->r, &t->deadline);
	ctl_link_destroy(t->link);
	reactor_destroy(t->r);
	prim_deinit(&t->prim);
	buf_deinit(&t->out);
	return t->status;
}

/* A number by chance: answers of earlier conversations are not ours. */
static bool make_rqi(struct talk *t)
{
	uint64_t chance;

	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return false;
	snprintf(t->rqi, sizeof(t->rqi), "ctl%016" PRIx64, chance);
	return true;
}

static bool is_json(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	json_decref(value);
	return value != NULL;
}

int ctl_ws_request(const struct ctl_args *args)
{
	struct talk t = { 0 };

	if (ctl_ws_op(args->operands[1]) == OP_NONE) {
		ctl_complain("no operation: 1 to 5, create, retrieve, update, "
			     "delete or notify", args->operands[1]);
		return CTL_USAGE;
	}
	if (args->content != NULL && !is_json(args->content)) {
		ctl_complain("the content is no JSON", args->content);
		return CTL_USAGE;
	}
	if (!make_rqi(&t)) {
		ctl_complain("no random numbers", NULL);
		return CTL_FAILED;
	}
	return talk(args, &t);
}

int ctl_ws_listen(const struct ctl_args *args)
{
	struct talk t = { 0 };

	return talk(args, &t);
}
