#include "m2m/xml_group.h"

#include <assert.h>

static_assert(XML_MAX_GROUPS <= 256, "a group fits in its bits of a node");

/* The name of an element, as far as it tells elements apart. */
struct name {
	struct str local;
	int row;		/* negative: none */
	unsigned ns;		/* of a JSON name with prefix, else none */
};

/* With a prefix in its tag, or by a default namespace that is known to hold
 * the name, an element is a global one: a child, or what is carried. */
static void read_name(struct name *out, const struct xml_doc *d,
		      const struct xml_type *t, uint32_t i)
{
	unsigned ns = d->nodes[i].ns;
	bool prefixed;

	out->local = xml_doc_local(&prefixed, d, i);
	out->row = ns <= XML_NS_M2M || !prefixed ?
			   xml_find_row(t, out->local) : -1;
	out->ns = XML_NS_NONE;
	if (out->row >= 0 || ns == XML_NS_NONE)
		return;
	if (prefixed || t->globals == XML_GLOBALS_ONE ||
	    (ns == XML_NS_M2M && xml_find_global(out->local) != NULL))
		out->ns = ns;
}

/* FNV-1a; who makes names collide has them compared. */
static unsigned hash_of(const struct name *n)
{
	uint32_t hash = 2166136261u ^ n->ns;

	for (size_t i = 0; i < n->local.len; i++)
		hash = (hash ^ (unsigned char)n->local.p[i]) * 16777619u;
	return hash >> 23;
}

static bool is_same(const struct xml_group *g, const struct xml_doc *d,
		    const struct name *n)
{
	bool prefixed;

	return g->ns == n->ns &&
	       str_eq(xml_doc_local(&prefixed, d, g->first), n->local);
}

/* Negative: there are too many. */
static int find_group(struct xml_groups *all, const struct xml_doc *d,
		      const struct name *n)
{
	unsigned hash;
	int g = XML_MAX_ROWS, end = g + (int)all->unknown_count;

	if (n->row >= 0)
		return n->row;
	hash = hash_of(n);
	for (; g < end; g++)
		if (all->of[g].hash == hash && is_same(&all->of[g], d, n))
			return g;
	if (all->unknown_count == XML_MAX_UNKNOWN)
		return -1;
	all->unknown_count++;
	all->of[g].hash = hash & 0x1ff;
	all->of[g].ns = n->ns & 0x1f;
	return g;
}

int xml_group_elements(struct xml_groups *out, const struct xml_doc *d,
		       const struct xml_type *t, uint32_t parent)
{
	uint32_t end = xml_doc_end(d, parent);

	*out = (struct xml_groups){ .type = t };
	for (uint32_t i = parent + 1; i < end; i += d->nodes[i].size) {
		struct name n;
		int g;

		read_name(&n, d, t, i);
		g = find_group(out, d, &n);
		if (g < 0)
			return ERR_LIMIT;
		if (out->of[g].count++ == 0)
			out->of[g].first = i & (XML_MAX_TEXT - 1);
		d->nodes[i].group = (unsigned)g & 0xff;
	}
	return 0;
}

void xml_find_member(struct xml_member *out, const struct xml_doc *d,
		     const struct xml_type *t, uint32_t i)
{
	struct name n;

	read_name(&n, d, t, i);
	*out = (struct xml_member){
		.at = i, .count = 1, .local = n.local, .row = n.row,
	};
	if (n.row >= 0) {
		out->attr = xml_row(t, n.row);
	} else if (n.ns != XML_NS_NONE) {
		out->prefix = xml_doc_prefix(d, i);
		out->attr = xml_global(out->prefix, n.local);
	} else {
		out->attr = xml_find_loose(t, n.local);
	}
}
