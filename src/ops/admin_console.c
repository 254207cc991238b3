#include "admin_priv.h"

/*
 * The files of src/ops/console as they are, between two symbols each. The
 * assembler looks for them from where make runs.
 */
#define EMBED(name, file) \
	__asm__(".pushsection .rodata\n" \
		".global console_" #name ", console_" #name "_end\n" \
		".hidden console_" #name ", console_" #name "_end\n" \
		"console_" #name ": .incbin \"src/ops/console/" file "\"\n" \
		"console_" #name "_end:\n" \
		".popsection\n"); \
	extern const char console_##name[], console_##name##_end[]

EMBED(page, "index.html");
EMBED(style, "console.css");
EMBED(dom, "dom.js");
EMBED(overview, "overview.js");
EMBED(workbench, "workbench.js");

#define SCRIPT "text/javascript; charset=utf-8"

static const struct console_file {
	const char *name;
	const char *type;
	const char *start;
	const char *end;
} files[] = {
	{ "", "text/html; charset=utf-8", console_page, console_page_end },
	{ "console.css", "text/css; charset=utf-8", console_style,
	  console_style_end },
	{ "dom.js", SCRIPT, console_dom, console_dom_end },
	{ "overview.js", SCRIPT, console_overview, console_overview_end },
	{ "workbench.js", SCRIPT, console_workbench, console_workbench_end },
};

/* args[0] is the name; "" on /. */
void admin_show_console(struct admin_conn *c)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct console_file *f = &files[i];
		struct str body = { f->start, (size_t)(f->end - f->start) };

		if (c->admin->console == ADMIN_CONSOLE_NONE ||
		    !str_eq(c->args[0], str_of(f->name)))
			continue;
		admin_respond(c, 200, f->type, body);
		return;
	}
	admin_respond_text(c, 404, "no console, or no such file of it\n");
}
