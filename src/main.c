#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ops/admin.h"
#include "ops/config.h"
#include "ops/hash_token.h"
#include "ops/reload.h"
#include "ops/service.h"
#include "ops/systemd.h"

#define DEFAULT_FILE M2MWSD_SYSCONFDIR "/m2mwsd/m2mwsd.conf"
#define MAX_OVERRIDES 256

enum exit_status {
	EXIT_OK = 0,
	EXIT_RUN = 1,		/* could not start or run */
	EXIT_USAGE = 2,		/* command line or configuration */
};

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_DUMP,
	ACTION_LIST,
	ACTION_HASH,
	ACTION_VERSION,
	ACTION_HELP,
};

struct arguments {
	enum action action;
	const char *overrides[MAX_OVERRIDES];
	struct config_origin origin;	/* with these overrides */
};

static void print_help(FILE *to)
{
	fputs("Usage: m2mwsd [-c FILE] [-o SECTION.KEY=VALUE]... [-t]\n"
	      "\n"
	      "oneM2M WebSocket gateway in front of an HTTP CSE.\n"
	      "\n"
	      "  -c, --config FILE         configuration ["
	      DEFAULT_FILE "]\n"
	      "  -o, --option S.KEY=VALUE  overrides an option; a section"
	      " with a\n"
	      "                            name: listener.main.listen=...\n"
	      "  -t, --check-config        checks the configuration and ends\n"
	      "      --dump-config         prints it with the origin of each"
	      " value\n"
	      "      --hash-token          reads a secret, or makes one when it"
	      " reads none,\n"
	      "                            and prints it for originators_file\n"
	      "      --version\n"
	      "      --help\n"
	      "\n"
	      "It stays in the foreground and logs to standard error. SIGTERM"
	      " drains.\n"
	      "See m2mwsd(8) and m2mwsd.conf(5).\n", to);
}

/* False: the command line makes no sense; getopt has said why. */
static bool parse_arguments(struct arguments *out, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "option", required_argument, NULL, 'o' },
		{ "check-config", no_argument, NULL, 't' },
		{ "dump-config", no_argument, NULL, 'd' },
		{ "list-options", no_argument, NULL, 'l' },
		{ "hash-token", no_argument, NULL, 'H' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:o:th", options, NULL)) != -1) {
		if (c == 'c')
			out->origin.file = optarg;
		else if (c == 'o' &&
			 out->origin.override_count < MAX_OVERRIDES)
			out->overrides[out->origin.override_count++] = optarg;
		else if (c == 't')
			out->action = ACTION_CHECK;
		else if (c == 'd')
			out->action = ACTION_DUMP;
		else if (c == 'l')
			out->action = ACTION_LIST;
		else if (c == 'H')
			out->action = ACTION_HASH;
		else if (c == 'V')
			out->action = ACTION_VERSION;
		else if (c == 'h')
			out->action = ACTION_HELP;
		else
			return false;
	}
	if (optind < argc)
		fprintf(stderr, "m2mwsd: unexpected argument '%s'\n",
			argv[optind]);
	return optind == argc;
}

static void announce(const struct config *conf, const struct gateway *gw,
		     const struct admin *admin)
{
	const struct gateway_conf *g = &conf->gateway;
	struct gateway_listener l;

	if (g->auth == AUTH_OPEN)
		log_warning("auth_open",
			    LOG_TEXT("why", "[auth] mode = open: any peer may "
					    "name any originator; only the "
					    "CSE judges"));
	for (size_t i = 0; gateway_listener(&l, gw, i); i++)
		log_info("listening", LOG_TEXT("listener", l.name),
			 LOG_UINT("port", l.port));
	if (gateway_notify_port(gw) != 0)
		log_info("listening", LOG_TEXT("listener", "notify"),
			 LOG_UINT("port", gateway_notify_port(gw)),
			 LOG_STR("point_of_access", g->notify.prefix));
	if (gateway_store_port(gw) != 0)
		log_info("listening", LOG_TEXT("listener", "store"),
			 LOG_UINT("port", gateway_store_port(gw)));
	if (admin_port(admin) != 0)
		log_info("listening", LOG_TEXT("listener", "admin"),
			 LOG_UINT("port", admin_port(admin)));
	log_info("ready", LOG_TEXT("version", M2MWSD_VERSION),
		 LOG_UINT("workers", g->workers),
		 LOG_STR("upstream", g->backend == BACKEND_STORE ?
					     STR("store") : g->upstreams->url),
		 LOG_UINT("upstreams", g->upstream_count));
	log_flush();
}

/* With what the service manager has opened. */
static int create_gateway(struct gateway **out, const struct config *conf)
{
	struct systemd_socket from[SYSTEMD_SOCKETS_MAX];
	struct gateway_socket sockets[SYSTEMD_SOCKETS_MAX];
	size_t count = systemd_take_sockets(from);
	int err;

	for (size_t i = 0; i < count; i++)
		sockets[i] = (struct gateway_socket){ from[i].fd,
						      from[i].name };
	err = gateway_create(out, &conf->gateway, sockets, count);
	for (size_t i = 0; i < count; i++)
		close(from[i].fd);
	return err;
}

static int serve(const struct config *conf, const struct config_origin *origin)
{
	struct gateway *gw = NULL;
	struct admin *admin = NULL;
	struct reloader *reloader = NULL;
	struct service *service = NULL;
	int err;

	log_setup(&conf->log, STDERR_FILENO);
	service_prepare();
	err = create_gateway(&gw, conf);
	if (!err)
		err = reloader_create(&reloader, gw, origin, conf);
	if (!err)
		err = admin_create(&admin, gw, reloader, &conf->admin);
	if (!err)
		err = service_create(&service, gw, reloader);
	if (!err) {
		announce(conf, gw, admin);
		service_ready(service);
		err = gateway_run(gw);
	} else {
		log_error("start_failed", LOG_ERRNO(err));
	}
	service_destroy(service);
	admin_destroy(admin);
	gateway_destroy(gw);
	reloader_destroy(reloader);
	log_info("end", LOG_INT("status", err ? EXIT_RUN : EXIT_OK));
	log_flush();
	return err ? EXIT_RUN : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct arguments args = {
		.origin = { DEFAULT_FILE, args.overrides, 0 },
	};
	struct config *conf;
	int status = EXIT_OK;

	if (!parse_arguments(&args, argc, argv)) {
		fputs("Try 'm2mwsd --help'.\n", stderr);
		return EXIT_USAGE;
	}
	if (args.action == ACTION_HELP)
		print_help(stdout);
	else if (args.action == ACTION_VERSION)
		puts("m2mwsd " M2MWSD_VERSION);
	else if (args.action == ACTION_LIST)
		config_list(stdout);
	else if (args.action == ACTION_HASH)
		status = hash_token(stdin, stdout, stderr) == 0 ?
				 EXIT_OK : EXIT_RUN;
	if (args.action >= ACTION_LIST)
		return status;
	if (config_load(&conf, args.origin.file, args.overrides,
			args.origin.override_count, stderr) != 0)
		return EXIT_USAGE;
	if (args.action == ACTION_CHECK)
		printf("m2mwsd: %s is fine\n", args.origin.file);
	else if (args.action == ACTION_DUMP)
		config_dump(conf, stdout);
	else
		status = serve(conf, &args.origin);
	config_destroy(conf);
	return status;
}
