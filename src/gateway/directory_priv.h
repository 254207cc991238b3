#ifndef GATEWAY_DIRECTORY_PRIV_H
#define GATEWAY_DIRECTORY_PRIV_H

#include "directory.h"

/* Between the files that make up directory_*(). */
struct directory {
	struct directory_conf conf;
	const struct directory_ops *ops;	/* borrowed; may be NULL */
	void *owner;
	struct siphash_key key;

	uv_mutex_t lock;
	/* under the lock */
	struct entity *by_id;			/* has references */
	struct entity *by_token;		/* some of the same */
	struct descendant *descendants;
	struct directory_counters counters;
};

/* ---- directory_entity.c ---- */

/* NULL: no memory. */
struct entity *entity_new(struct str id, bool is_cse);

/* Text of its own. False: no memory, *to is empty. */
bool entity_data_copy(struct entity_data *to, const struct entity_data *from);
void entity_data_free(struct entity_data *data);
size_t entity_data_size(const struct entity_data *data);

/* ---- directory_table.c; the lock is held ---- */

struct entity *table_find(const struct directory *d, struct str id);
struct entity *table_find_token(const struct directory *d, struct str token);
/* The CSE of that id, or the one that announces it. */
struct entity *table_find_cse(const struct directory *d, struct str cse);

/* Listed already, or new; without a reference. NULL: no memory. */
struct entity *table_open(struct directory *d, struct str id, bool is_cse);
MUST_CHECK int table_list(struct directory *d, struct entity *e);
/* The directory's reference goes, too. Nothing if it is not listed. */
void table_unlist(struct directory *d, struct entity *e);

MUST_CHECK int table_set_token(struct directory *d, struct entity *e,
			       struct str token);
void table_drop_token(struct directory *d, struct entity *e);

/* What e had is in *data afterwards. */
void table_swap_data(struct directory *d, struct entity *e,
		     struct entity_data *data);
void table_drop_descendants(struct directory *d, struct entity *e);

#endif
