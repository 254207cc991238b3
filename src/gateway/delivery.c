#include "delivery.h"

void delivery_init(struct delivery *d, struct worker *home,
		   struct entity *entity, uint64_t due,
		   void (*on_end)(struct delivery *d))
{
	*d = (struct delivery){
		.home = home,
		.entity = entity,
		.due = due,
		.on_end = on_end,
	};
}

void delivery_deinit(struct delivery *d)
{
	entity_unref(d->entity);
	d->entity = NULL;
	prim_deinit(&d->request);
	prim_deinit(&d->answer);
}

size_t delivery_cost(const struct delivery *d)
{
	return sizeof(*d) + d->request.store.cap;
}

int delivery_rsc(const struct delivery *d, const char **why)
{
	switch (d->end) {
	case DELIVERY_ANSWERED:
		*why = NULL;
		return d->answer.rsc;
	case DELIVERY_TIMED_OUT:
		*why = "the entity did not answer in time";
		return RSC_REQUEST_TIMEOUT;
	case DELIVERY_UNSENT:
		*why = "the entity is not connected";
		return RSC_TARGET_NOT_REACHABLE;
	case DELIVERY_LOST:
		*why = "the entity's connection ended before its answer";
		return RSC_TARGET_NOT_REACHABLE;
	case DELIVERY_FULL:
		*why = "too many requests wait for the entity";
		return RSC_TARGET_NOT_REACHABLE;
	case DELIVERY_UNSTORED:
		*why = "the entity is not connected, and it cannot be stored";
		return RSC_TARGET_NOT_REACHABLE;
	case DELIVERY_TOO_LARGE:
		*why = "the request is above max_queue";
		return RSC_TARGET_NOT_REACHABLE;
	case DELIVERY_UNCONVERTIBLE:
		*why = "the entity's serialization cannot carry the content";
		return RSC_BAD_REQUEST;
	}
	return RSC_INTERNAL_SERVER_ERROR;
}
