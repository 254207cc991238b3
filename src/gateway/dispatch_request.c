#include "dispatch_request.h"

/* What a request object costs beside itself and its message, about: room that
 * its text has to spare, and the heap. */
#define ALLOCATIONS 512

size_t request_waiting_cost(size_t message)
{
	return message + sizeof(struct request) + ALLOCATIONS;
}

struct str request_rqi(const struct request *rq)
{
	return (struct str){ rq->text.p, rq->rqi_len };
}

struct str request_rvi(const struct request *rq)
{
	return (struct str){ rq->text.p + rq->rqi_len, rq->rvi_len };
}

struct str request_fr(const struct request *rq)
{
	return (struct str){ rq->text.p + rq->rqi_len + rq->rvi_len,
			     rq->fr_len };
}

struct str request_to(const struct request *rq)
{
	return (struct str){ rq->text.p + rq->rqi_len + rq->rvi_len +
				     rq->fr_len,
			     rq->to_len };
}

struct str request_message(const struct request *rq)
{
	return str_skip(buf_str(&rq->text),
			rq->rqi_len + rq->rvi_len + rq->fr_len + rq->to_len);
}

bool request_is_poll(const struct request *rq)
{
	struct str to = request_to(rq);

	return rq->op == OP_RETRIEVE && to.len >= 4 &&
	       str_eq(str_skip(to, to.len - 4), STR("/pcu"));
}

struct str request_scalar(const struct prim *p, enum prim_param id)
{
	if (prim_has(p, id) && p->param[id].type == VALUE_JSON)
		return (struct str){ NULL, 0 };
	return prim_text(p, id);
}

bool request_fill(struct request *rq, const struct prim *p, struct str message,
		  bool wait)
{
	struct str rqi = prim_text(p, PARAM_RQI);
	struct str rvi = request_scalar(p, PARAM_RVI);
	struct str fr = prim_text(p, PARAM_FR);
	struct str to = prim_text(p, PARAM_TO);

	buf_clear(&rq->text);
	buf_add_str(&rq->text, rqi);
	buf_add_str(&rq->text, rvi);
	buf_add_str(&rq->text, fr);
	buf_add_str(&rq->text, to);
	if (wait)
		buf_add_str(&rq->text, message);
	rq->rqi_len = rqi.len;
	rq->rvi_len = rvi.len;
	rq->fr_len = fr.len;
	rq->to_len = to.len;
	rq->op = p->op;
	rq->silent = prim_response_type(p) == 5;
	rq->octets_in = message.len;
	rq->waiting = wait;
	rq->note = NULL;
	rq->started = uv_hrtime();
	return !rq->text.failed;
}

bool request_is_listed(const struct request_list *list, const struct prim *p)
{
	struct str rqi = prim_text(p, PARAM_RQI), fr = prim_text(p, PARAM_FR);
	const struct request *rq;

	TAILQ_FOREACH(rq, list, link)
		if (str_eq(request_rqi(rq), rqi) && str_eq(request_fr(rq), fr))
			return true;
	return false;
}
