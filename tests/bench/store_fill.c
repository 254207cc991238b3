/*
 * Fills a database of the embedded CSE for the bench, through the store itself
 * and in large transactions.
 *
 *	store-fill --path FILE --clients N [--instances N]
 *
 * Each client c (four hexadecimal digits) has an AE cse-in/mc that Cmc has
 * created, and in it an empty container temp. The first one also has big with
 * the instances i0, i1, ... of which ten have the label g0, ten g1, ..., and
 * ring, which is full with as many. All instances have the label unit:°C.
 * Prints rows=FROM-TO, the numbers in the unstructured ids of big's instances.
 */
#include <getopt.h>

#include "bench.h"
#include "base/clock.h"
#include "store/store.h"

#define GROUP 2000		/* requests of a transaction */
#define SHARE 10		/* instances of one label g */

struct fill {
	struct store_conf conf;
	struct store *store;
	struct store_conn *conn;
	struct prim request, answer;
	struct store_events events;
	unsigned waiting;		/* requests since store_begin() */
};

static void must(int err, const char *what)
{
	if (err)
		bench_die(what, err_text(err));
}

static void settle(struct fill *f)
{
	if (f->waiting > 0)
		must(store_commit(f->conn), "commit");
	f->waiting = 0;
}

static void create(struct fill *f, const char *text)
{
	struct store_pass pass = { 0 };
	const char *why = "";

	if (f->waiting == GROUP)
		settle(f);
	if (f->waiting++ == 0)
		must(store_begin(f->conn), "begin");
	must(codec_json.decode(&f->request, &why, &f->conf.codec,
			       str_of(text)), why);
	must(store_execute(f->conn, &f->answer, &f->events, &pass,
			   &f->request, clock_wall_ms()), text);
	if (f->answer.rsc != RSC_CREATED)
		bench_die(text, f->answer.store.p);
}

/* In an AE of its own, which also is the originator. */
static void create_client(struct fill *f, unsigned c)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"op\":1,\"to\":\"cse-in\",\"fr\":\"Cm%04x\",\"rqi\":\"r\","
		 "\"rvi\":\"3\",\"ty\":2,\"pc\":{\"m2m:ae\":{\"rn\":\"m%04x\","
		 "\"api\":\"Nbench\",\"rr\":false,\"srv\":[\"3\"]}}}", c, c);
	create(f, text);
}

static void create_container(struct fill *f, unsigned c, const char *name,
			     unsigned long room)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"op\":1,\"to\":\"cse-in/m%04x\",\"fr\":\"Cm%04x\","
		 "\"rqi\":\"r\",\"rvi\":\"3\",\"ty\":3,\"pc\":{\"m2m:cnt\":{"
		 "\"rn\":\"%s\",\"mni\":%lu}}}", c, c, name, room);
	create(f, text);
}

static void create_instance(struct fill *f, const char *container,
			    const char *rn, unsigned long i,
			    unsigned long labels)
{
	char text[512], name[40] = "", label[40] = "";

	if (*rn)
		snprintf(name, sizeof(name), "\"rn\":\"%s%lu\",", rn, i);
	if (labels > 0)
		snprintf(label, sizeof(label), ",\"g%lu\"", i % labels);
	snprintf(text, sizeof(text),
		 "{\"op\":1,\"to\":\"cse-in/m0000/%s\",\"fr\":\"Cm0000\","
		 "\"rqi\":\"r\",\"rvi\":\"3\",\"ty\":4,\"pc\":{\"m2m:cin\":{"
		 "%s\"cnf\":\"text/plain:0\",\"con\":\"021.50\",\"lbl\":["
		 "\"unit:\302\260C\"%s]}}}", container, name, label);
	create(f, text);
}

/* The number in the last answer's "ri":"cin12". */
static unsigned long last_row(const struct fill *f)
{
	struct str pc = f->answer.content;
	struct span at = bench_find((struct span){ pc.p, pc.len },
				    SPAN("\"ri\":\"cin"));

	return at.p ? strtoul(at.p + at.len, NULL, 10) : 0;
}

static void fill(struct fill *f, unsigned clients, unsigned long instances)
{
	unsigned long labels = instances / SHARE, first = 0;

	for (unsigned c = 0; c < clients; c++) {
		create_client(f, c);
		create_container(f, c, "temp", 1000000000);
	}
	if (instances > 0) {
		create_container(f, 0, "big", 1000000000);
		create_container(f, 0, "ring", instances);
	}
	for (unsigned long i = 0; i < instances; i++) {
		create_instance(f, "big", "i", i, labels);
		if (i == 0)
			first = last_row(f);
	}
	printf("rows=%lu-%lu\n", first, instances > 0 ? last_row(f) : 0);
	for (unsigned long i = 0; i < instances; i++)
		create_instance(f, "ring", "", i, 0);
	settle(f);
}

static unsigned long number(const char *name, const char *text)
{
	long n = bench_number((struct span){ text, strlen(text) });

	if (n < 0)
		bench_die(name, "want a number");
	return (unsigned long)n;
}

static const struct option options[] = {
	{ "path",      required_argument, NULL, 'p' },
	{ "clients",   required_argument, NULL, 'c' },
	{ "instances", required_argument, NULL, 'i' },
	{ NULL,	       0,		  NULL, 0 },
};

int main(int argc, char **argv)
{
	struct fill f = { .conf = {
		.cse_id = "/id-in",
		.cse_name = "cse-in",
		.admin = "CAdmin",
		.codec = { .max_depth = 64, .max_tokens = 10000 },
		.default_lifetime_s = 365 * 86400,
		.max_instances = 1000000000,
		.max_results = 1000,
	} };
	unsigned long clients = 0, instances = 0;
	const char *why = "";
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'p')
			f.conf.path = optarg;
		else if (opt == 'c')
			clients = number("--clients", optarg);
		else if (opt == 'i')
			instances = number("--instances", optarg);
		else
			return 2;
	}
	if (f.conf.path == NULL || clients < 1 || clients > 65535)
		bench_die(argv[0], "want --path and --clients");
	must(store_create(&f.store, &why, &f.conf), why);
	must(store_conn_create(&f.conn, f.store, STORE_WRITER), f.conf.path);
	fill(&f, (unsigned)clients, instances);
	store_events_deinit(&f.events);
	prim_deinit(&f.request);
	prim_deinit(&f.answer);
	store_conn_destroy(f.conn);
	store_destroy(f.store);
	return 0;
}
