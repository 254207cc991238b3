#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include "store/store.h"

/* Appends a copy of event; its slices may point anywhere. UV_ENOMEM. */
MUST_CHECK int events_add(struct store_events *e,
			  const struct store_event *event);

#endif
