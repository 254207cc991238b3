#include "store/store_rules.h"

/* Instances a container may hold: mni, or what the configuration says. */
static int64_t instance_limit(const struct resource *container,
			      const struct store_conn *c)
{
	uint64_t limit = c->store->conf->max_instances;

	if (limit == 0 || limit > INT64_MAX)
		limit = INT64_MAX;
	return value_int(container->attrs, "mni", (int64_t)limit);
}

static bool is_over(const struct resource *container,
		    const struct store_conn *c)
{
	return container->count > instance_limit(container, c) ||
	       container->octets > value_int(container->attrs, "mbs",
					     INT64_MAX);
}

/* By maxInstanceAge, in seconds: what came before this has had its time. */
static uint64_t age_limit(const struct resource *container, uint64_t now_ms)
{
	int64_t mia = value_int(container->attrs, "mia", INT64_MAX);
	uint64_t now_s = now_ms / 1000;

	return (uint64_t)mia < now_s ? (now_s - (uint64_t)mia) * 1000 : 0;
}

int container_check_fit(struct store_conn *c, const struct resource *container,
			const struct resource *instance)
{
	int64_t mbs = value_int(container->attrs, "mbs", INT64_MAX);

	if (instance->size <= mbs)
		return 0;
	return store_refuse(c, RSC_NOT_ACCEPTABLE,
			    "instance larger than mbs %lld", (long long)mbs);
}

int container_trim(struct resource *container, struct store_conn *c,
		   uint64_t now_ms)
{
	uint64_t limit = age_limit(container, now_ms);
	int64_t size = 0;
	int rc = 0;

	while (rc == 0 && size >= 0) {
		bool over = is_over(container, c);

		if (!over && limit == 0)
			break;
		rc = tree_drop_oldest(&size, c, container->id,
				      over ? UINT64_MAX : limit);
		if (rc == 0 && size >= 0) {
			container->count--;
			container->octets -= size;
		}
	}
	return rc;
}

int rules_child_added(struct store_conn *c, struct resource *parent,
		      const struct resource *child, uint64_t now_ms)
{
	int rc;

	if (child->ty != 4)
		return 0;
	parent->count++;
	parent->octets += child->size;
	parent->st = child->st;
	rc = container_trim(parent, c, now_ms);
	return rc != 0 ? rc : tree_update_counts(parent, c);
}
