#include <uv.h>

#include "store/store_json.h"
#include "store/store_op.h"
#include "store/store_route.h"

/* nonBlockingRequestAsynch (TS-0004 7.3.2.3): the request is carried out at
 * once, only its answer goes another way. */

static int send_to(struct store_events *events, struct store_conn *c,
		   struct str target, struct str content)
{
	struct store_event event = {
		.target = target,
		.originator = str_of(c->store->conf->cse_id),
		.content = content,
	};

	return route_send(events, c, &event);
}

/* rt.nu; without it the originator, with an empty one nobody. */
static int send_all(struct store_events *events, struct store_conn *c,
		    const struct prim *request, struct str content)
{
	struct str text = prim_text(request, PARAM_RT);
	json_t *rt = json_loadb(text.p, text.len, 0, NULL);
	json_t *nu = json_object_get(rt, "nu");
	json_t *item;
	size_t i;
	int rc = 0;

	if (nu == NULL)
		rc = send_to(events, c, prim_text(request, PARAM_FR), content);
	json_array_foreach(nu, i, item) {
		if (rc == 0 && json_is_string(item))
			rc = send_to(events, c,
				     str_of(json_string_value(item)), content);
	}
	json_decref(rt);
	return rc;
}

int asynch_send(struct store_events *events, struct store_conn *c,
		const struct prim *request, int rsc, json_t *result)
{
	json_t *content = json_pack("{s:o}", "m2m:rsp",
				    answer_wrap(c, request, rsc, result));
	struct buf text = { 0 };
	int rc = UV_ENOMEM;

	if (content != NULL)
		store_json_add(&text, content);
	if (text.len > 0 && !text.failed)
		rc = send_all(events, c, request, buf_str(&text));
	buf_deinit(&text);
	json_decref(content);
	return rc == 0 ? RSC_ACCEPTED_ASYNCH : rc;
}
