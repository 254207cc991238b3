/* One request on its way: to points of access in their order, or by the
 * channel that its target polls. */
#include "store_delivery_priv.h"

static void end(struct sending *s, const struct sending_end *how)
{
	reactor_disarm(s->d->r, &s->timer);
	s->on_end(s, how);
}

static void fail(struct sending *s, int rsc, const char *why)
{
	end(s, &(struct sending_end){ .rsc = rsc, .why = why });
}

/* The owner is on the stack. */
static void fail_later(struct sending *s, int rsc, const char *why)
{
	s->failure = (struct sending_end){ .rsc = rsc, .why = why };
	reactor_arm(s->d->r, &s->timer, 0);
}

static const struct exchange_ops exchange_ops;

/* 0: it is on its way. The target's fault is left to its next URL, that of
 * the request to nobody. */
static int try_next(struct sending *s, const char **why)
{
	struct str rest = str_skip(buf_str(&s->urls), s->tried);
	int err = UV_EHOSTUNREACH;

	while (rest.len > 0) {
		(void)str_cut(rest, '\n', &s->url, &rest);
		s->tried += s->url.len + 1;
		s->x = (struct exchange){ .ops = &exchange_ops };
		err = mca_client_submit(s->d->client, &s->x, s->url,
					s->exact, &s->request, why);
		if (err == 0 || err == ERR_PROTO || err == ERR_UNSUPPORTED)
			break;
	}
	return err;
}

static int rsc_of(int err)
{
	switch (err) {
	case ERR_PROTO:
		return RSC_BAD_REQUEST;
	case ERR_UNSUPPORTED:
		return RSC_NOT_IMPLEMENTED;
	case UV_ENOMEM:
		return RSC_INTERNAL_SERVER_ERROR;
	default:
		return RSC_TARGET_NOT_REACHABLE;
	}
}

static void on_answer(struct exchange *x, const struct prim *answer)
{
	struct sending *s = container_of(x, struct sending, x);

	end(s, &(struct sending_end){ .answer = answer });
}

/* Who may have acted on it is not passed over for another one. */
static void on_fail(struct exchange *x, int err, const char *why)
{
	struct sending *s = container_of(x, struct sending, x);

	switch (err) {
	case ERR_PROTO:
	case ERR_LIMIT:
	case UV_ENOMEM:
		fail(s, RSC_INTERNAL_SERVER_ERROR, why);
		return;
	case UV_ECANCELED:
		s->d->counters.displaced++;
		fail(s, RSC_TARGET_NOT_REACHABLE, why);
		return;
	case UV_ECONNRESET:
	case UV_EPIPE:
		fail(s, RSC_TARGET_NOT_REACHABLE, why);
		return;
	case ERR_DENIED:
		delivery_refuse_target(s->d, s->url);
		break;
	default:
		break;
	}
	err = try_next(s, &why);
	if (err)
		fail(s, rsc_of(err), why);
}

static const struct exchange_ops exchange_ops = {
	.on_answer = on_answer,
	.on_fail = on_fail,
};

/* Nobody hears of it any more. */
static void call_back(struct sending *s)
{
	mca_client_cancel(s->d->client, &s->x);
	if (s->item != NULL)
		channels_forget(s->d, s->item);
	s->item = NULL;
}

static void on_timer(struct timeout *t)
{
	struct sending *s = container_of(t, struct sending, timer);
	struct sending_end failure = s->failure;

	if (failure.rsc == 0) {
		call_back(s);
		failure.rsc = RSC_REQUEST_TIMEOUT;
		failure.why = "no answer in time";
	}
	end(s, &failure);
}

void sending_start(struct sending *s, const struct store_route *route,
		   uint64_t timeout_ms)
{
	const char *why = "no point of access";
	int err;

	s->x = (struct exchange){ .ops = &exchange_ops };
	s->failure = (struct sending_end){ 0 };
	s->timer.on_timeout = on_timer;
	s->exact = route->exact;
	s->tried = 0;
	buf_clear(&s->urls);
	buf_add_str(&s->urls, route->urls);
	if (s->urls.failed || s->request.store.failed) {
		fail_later(s, RSC_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	reactor_arm(s->d->r, &s->timer, timeout_ms);
	if (route->channel != 0)
		err = channels_send(s->d, route->channel, s, &why);
	else
		err = try_next(s, &why);
	if (err)
		fail_later(s, rsc_of(err), why);
}

void sending_cancel(struct sending *s)
{
	reactor_disarm(s->d->r, &s->timer);
	call_back(s);
}

void sending_deinit(struct sending *s)
{
	prim_deinit(&s->request);
	buf_deinit(&s->urls);
}

void sending_answered(struct sending *s, const struct prim *answer)
{
	s->item = NULL;
	end(s, &(struct sending_end){ .answer = answer });
}
