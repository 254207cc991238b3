#include "ctl_args.h"
#include "ctl_show.h"
#include "ctl_trace.h"
#include "ctl_ws.h"

const struct ctl_command ctl_commands[] = {
	{ "status", NULL, "", "the daemon as a whole", 0, 0, 0,
	  "GET", "/api/status", ctl_show_status, NULL },
	{ "sessions", NULL,
	  "[--originator ID] [--peer ADDRESS] [--sort KEY] [--limit N]",
	  "who is connected", 0, 0,
	  CTL_ORIGINATOR | CTL_PEER | CTL_SORT | CTL_LIMIT,
	  "GET", "/api/sessions", ctl_show_sessions, NULL },
	{ "session", NULL, "SID", "all about one of them", 1, 1, 0,
	  "GET", "/api/sessions/*", ctl_show_session, NULL },
	{ "kick", NULL, "SID", "closes it", 1, 1, 0,
	  "POST", "/api/sessions/*/kick", ctl_show_kick, NULL },
	{ "drain", NULL, "", "finishes what is in flight, then ends", 0, 0, 0,
	  "POST", "/api/drain", ctl_show_drain, NULL },
	{ "reload", NULL, "", "reads the configuration again", 0, 0, 0,
	  "POST", "/api/reload", ctl_show_reload, NULL },
	{ "log", NULL, "error|warning|info|debug",
	  "the least important line that is logged", 1, 1, 0,
	  "POST", "/api/log?level=*", ctl_show_log, NULL },
	{ "inbox", "list", "[--limit N]", "for whom something is stored", 0, 0,
	  CTL_LIMIT, "GET", "/api/inbox", ctl_show_inboxes, NULL },
	{ "inbox", "show", "ID [--limit N]", "what is stored for one", 1, 1,
	  CTL_LIMIT, "GET", "/api/inbox/*", ctl_show_inbox, NULL },
	{ "inbox", "drop", "ID [SEQ]", "all that, or one item, goes", 1, 2, 0,
	  "DELETE", "/api/inbox/*/*", ctl_show_dropped, NULL },
	{ "inbox", "redeliver", "ID", "its session looks again", 1, 1, 0,
	  "POST", "/api/inbox/*/redeliver", ctl_show_redeliver, NULL },
	{ "trace", NULL, "ID", "its primitives as they pass", 1, 1, 0,
	  "GET", "/api/trace?originator=*", NULL, ctl_trace },
	{ "config", NULL, "", "the configuration that was read last", 0, 0, 0,
	  "GET", "/api/config", NULL, NULL },
	{ "request", NULL,
	  "URL [-o ID] [-t TOKEN] [--ca FILE] OP TO [-y TYPE] [-p JSON]",
	  "sends a primitive, prints the answer", 3, 3,
	  CTL_ORIGINATOR | CTL_TOKEN | CTL_CA | CTL_TYPE | CTL_CONTENT,
	  NULL, NULL, NULL, ctl_ws_request },
	{ "listen", NULL, "URL [-o ID] [-t TOKEN] [--ca FILE] [-n COUNT]",
	  "prints what it is sent, answers 2000", 1, 1,
	  CTL_ORIGINATOR | CTL_TOKEN | CTL_CA | CTL_COUNT,
	  NULL, NULL, NULL, ctl_ws_listen },
};

const size_t ctl_command_count = ARRAY_LEN(ctl_commands);
