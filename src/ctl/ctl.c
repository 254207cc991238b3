#include "ctl/ctl.h"

#include <uv.h>

#include "ctl_args.h"
#include "ctl_ask.h"
#include "ctl_show.h"

static void complain_of(const struct ctl_answer *answer, const json_t *body)
{
	const char *why = json_string_value(json_object_get(body, "error"));
	char status[32];

	if (why != NULL) {
		ctl_complain(why, NULL);
		return;
	}
	snprintf(status, sizeof(status), "HTTP %d", answer->status);
	ctl_complain("the daemon answered", status);
}

static void print_body(const struct ctl_answer *answer, bool ends)
{
	fwrite(answer->body.p, 1, answer->body.len, stdout);
	if (!ends)
		fputc('\n', stdout);
}

/* A reload that failed has more to tell than its error. */
static int show(const struct ctl_args *args, const struct ctl_answer *answer,
		json_t *body)
{
	bool ok = answer->status < 400;

	if (!ok && json_object_get(body, "errors") == NULL) {
		complain_of(answer, body);
		return CTL_FAILED;
	}
	if (args->command->show == NULL) {
		print_body(answer, true);
		return CTL_FINE;
	}
	if (args->json && args->sort == NULL) {
		print_body(answer, false);
		return ok ? CTL_FINE : CTL_FAILED;
	}
	return args->command->show(stdout, body, args);
}

static int ask(const struct ctl_args *args)
{
	struct ctl_answer answer = { 0 };
	struct buf path = { 0 };
	int status = CTL_FAILED, err;
	json_t *body;

	ctl_args_write_path(&path, args);
	err = path.failed ? UV_ENOMEM :
			    ctl_ask(&answer, args->socket,
				    args->command->method, buf_str(&path));
	if (err) {
		ctl_ask_complain(args->socket, err);
	} else {
		body = json_loadb(answer.body.p != NULL ? answer.body.p : "",
				  answer.body.len, 0, NULL);
		status = show(args, &answer, body);
		json_decref(body);
	}
	buf_deinit(&answer.body);
	buf_deinit(&path);
	return status;
}

static int run(const struct ctl_args *args)
{
	if (args->version)
		puts("m2mwsctl " M2MWSD_VERSION);
	else if (args->help)
		ctl_args_help(stdout);
	else if (args->command->run != NULL)
		return args->command->run(args);
	else
		return ask(args);
	return CTL_FINE;
}

int ctl_run(int argc, char **argv)
{
	struct ctl_args args;
	struct buf why = { 0 };
	int status;

	if (!ctl_args_parse(&args, &why, argc, argv)) {
		buf_add_char(&why, '\0');
		ctl_complain(why.failed ? "out of memory" : why.p, NULL);
		fputs("Try 'm2mwsctl --help'.\n", stderr);
		status = CTL_USAGE;
	} else {
		status = run(&args);
	}
	buf_deinit(&why);
	if (fflush(stdout) != 0 && status == CTL_FINE)
		status = CTL_FAILED;
	return status;
}
