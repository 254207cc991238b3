#include "gateway/stats.h"

#define COUNT(id, name, label, help) [STAT_##id] = { name, label, help, false }
#define NOW(id, name, label, help)   [STAT_##id] = { name, label, help, true }

const struct stat_info stat_infos[STAT_COUNT] = {
	COUNT(CONNECTIONS, "connections_total", NULL,
	      "Connections of clients that were accepted."),
	COUNT(SESSIONS_OPENED, "sessions_opened_total", NULL,
	      "Handshakes that became sessions."),
	NOW(SESSIONS, "sessions", NULL, "Open sessions."),
	COUNT(REVOKED, "sessions_revoked_total", NULL,
	      "Sessions whose credential a reload has changed."),
	COUNT(REFUSED_SESSIONS, "refused_total", "why=\"max_sessions\"",
	      "Connections that a limit has kept out, by what it was."),
	COUNT(DISPLACED, "refused_total", "why=\"displaced\"", NULL),
	COUNT(REFUSED_PER_IP, "refused_total", "why=\"sessions_per_ip\"", NULL),
	COUNT(REFUSED_RATE, "refused_total", "why=\"handshake_rate\"", NULL),
	COUNT(REFUSED_PROXY, "refused_total", "why=\"proxy_from\"", NULL),
	COUNT(REFUSED_TLS, "refused_total", "why=\"max_handshakes\"", NULL),
	COUNT(REFUSED_HANDSHAKES, "handshakes_refused_total", NULL,
	      "Handshakes that were not answered with 101."),
	COUNT(REFUSED_CREDENTIALS, "handshake_refusals_total",
	      "why=\"credential\"", "Some reasons of these."),
	COUNT(UNCHECKED_CREDENTIALS, "handshake_refusals_total",
	      "why=\"unchecked\"", NULL),
	COUNT(REFUSED_ORIGINS, "handshake_refusals_total", "why=\"origin\"",
	      NULL),
	COUNT(LARGE_HEADS, "handshake_refusals_total", "why=\"max_head\"",
	      NULL),
	COUNT(SLOW_HANDSHAKES, "handshake_refusals_total",
	      "why=\"handshake_timeout\"", NULL),
	COUNT(PAUSED_ACCEPTING, "accept_paused_total", NULL,
	      "Times that accepting paused for lack of descriptors or memory."),

	COUNT(MESSAGES_IN, "messages_total", "direction=\"in\"",
	      "Messages on WebSockets."),
	COUNT(MESSAGES_OUT, "messages_total", "direction=\"out\"", NULL),
	COUNT(OCTETS_IN, "message_octets_total", "direction=\"in\"",
	      "Octets of these."),
	COUNT(OCTETS_OUT, "message_octets_total", "direction=\"out\"", NULL),
	COUNT(PINGS_IN, "pings_total", NULL, "Pings of clients."),
	COUNT(PONGS_IN, "pongs_total", NULL, "Pongs of clients."),
	COUNT(MALFORMED, "malformed_total", NULL,
	      "Messages that were no primitives."),
	COUNT(TOO_COMPLEX, "too_complex_total", NULL,
	      "Of these, such as max_depth or max_tokens refused."),
	COUNT(UNCONVERTIBLE, "unconvertible_total", "to=\"client\"",
	      "Messages that their receiver's serialization cannot carry."),
	COUNT(NOTIFY_UNCONVERTIBLE, "unconvertible_total", "to=\"cse\"",
	      NULL),
	COUNT(BAD_FRAMES, "closed_total", "why=\"frame\"",
	      "Sessions that were closed for what their client did."),
	COUNT(BAD_UTF8, "closed_total", "why=\"utf8\"", NULL),
	COUNT(TOO_BIG, "closed_total", "why=\"max_message\"", NULL),
	COUNT(TOO_MANY_FRAGMENTS, "closed_total", "why=\"max_fragments\"",
	      NULL),
	COUNT(TOO_SLOW, "closed_total", "why=\"message_timeout\"", NULL),
	COUNT(NO_PONG, "closed_total", "why=\"pong_timeout\"", NULL),
	COUNT(NO_CLOSE, "closed_total", "why=\"close_timeout\"", NULL),
	COUNT(TOO_MANY_CONTROLS, "closed_total", "why=\"controls\"", NULL),
	COUNT(UNFINISHED, "closed_total", "why=\"unfinished\"", NULL),
	COUNT(NO_PRIMITIVES, "closed_total", "why=\"no_primitives\"", NULL),
	COUNT(SLOW_READERS, "closed_total", "why=\"max_queue\"", NULL),

	COUNT(REQUESTS, "requests_total", NULL, "Requests of clients."),
	COUNT(ANSWERED, "request_ends_total", "how=\"answered\"",
	      "How requests of clients ended."),
	COUNT(REFUSED_REQUESTS, "request_ends_total", "how=\"refused\"", NULL),
	COUNT(FAILED, "request_ends_total", "how=\"failed\"", NULL),
	COUNT(TIMED_OUT, "request_ends_total", "how=\"timed_out\"", NULL),
	COUNT(QUEUE_FULL, "request_ends_total", "how=\"max_queue\"", NULL),
	COUNT(ORPHANED, "request_orphans_total", "how=\"answered\"",
	      "Requests whose client had gone."),
	COUNT(FORGOTTEN, "request_orphans_total", "how=\"forgotten\"", NULL),

	COUNT(UPSTREAM_OPENED, "upstream_opened_total", NULL,
	      "Connections to the CSE that were made."),
	COUNT(UPSTREAM_FAILED, "upstream_failed_total", NULL,
	      "Connections to the CSE that could not be made."),
	COUNT(UPSTREAM_POISONED, "upstream_poisoned_total", NULL,
	      "Connections given up for what came on them."),
	COUNT(UPSTREAM_RETRIED, "upstream_retried_total", NULL,
	      "Requests that were sent once more."),
	COUNT(UPSTREAM_MOVED, "upstream_moved_total", NULL,
	      "Requests that another upstream got after one could not."),
	COUNT(UPSTREAM_REFUSED, "upstream_refused_total", NULL,
	      "Requests above max_waiting."),
	NOW(UPSTREAM_OPEN, "upstream_connections", NULL,
	    "Connections to the CSE."),
	NOW(UPSTREAM_IDLE, "upstream_idle_connections", NULL,
	    "Of these, idle ones."),
	NOW(UPSTREAM_WAITING, "upstream_waiting", NULL,
	    "Requests that wait for a connection."),
	NOW(UPSTREAM_UP, "upstream_up", NULL,
	    "Workers that reached the CSE at their last attempt."),

	COUNT(NOTIFY_REQUESTS, "notify_requests_total", NULL,
	      "Requests of the CSE to the notify endpoint."),
	COUNT(NOTIFY_REFUSED, "notify_refused_total", "why=\"malformed\"",
	      "Those that went no further."),
	COUNT(NOTIFY_FORBIDDEN, "notify_refused_total", "why=\"forbidden\"",
	      NULL),
	COUNT(NOTIFY_REFUSED_CONNECTIONS, "notify_refused_total",
	      "why=\"max_connections\"", NULL),
	COUNT(NOTIFY_ABANDONED, "notify_abandoned_total", NULL,
	      "Requests whose CSE did not wait for the answer."),

	COUNT(DELIVERIES, "deliveries_total", NULL,
	      "Requests towards entities."),
	COUNT(DELIVERED, "delivery_ends_total", "how=\"answered\"",
	      "How these ended."),
	COUNT(UNDELIVERED, "delivery_ends_total", "how=\"away\"", NULL),
	COUNT(UNANSWERED, "delivery_ends_total", "how=\"timed_out\"", NULL),
	COUNT(LOST, "delivery_ends_total", "how=\"lost\"", NULL),
	COUNT(CHANNEL_FULL, "delivery_ends_total", "how=\"max_queue\"", NULL),
	COUNT(HELD_FULL, "delivery_ends_total", "how=\"max_held\"", NULL),
	COUNT(STORED, "delivery_ends_total", "how=\"stored\"", NULL),
	COUNT(NOT_STORED, "delivery_ends_total", "how=\"not_stored\"", NULL),
	COUNT(HELD, "deliveries_held_total", NULL,
	      "Requests that waited for their entity."),
	COUNT(LATE_ANSWERS, "late_answers_total", NULL,
	      "Answers of entities that nobody waited for any more."),
	COUNT(REDELIVERED, "redelivered_total", NULL,
	      "Stored notifications that were answered."),

	COUNT(REGISTRATIONS, "registrations_total", NULL,
	      "AEs and CSEs that registered, also again."),
	COUNT(DEREGISTRATIONS, "deregistrations_total", NULL,
	      "AEs and CSEs that went for good."),
	COUNT(REFUSED_ORIGINATORS, "refused_originators_total", NULL,
	      "Requests whose fr was not the client's."),
	COUNT(REFUSED_ENTITIES, "limited_registrations_total",
	      "why=\"max_entities\"", "Registrations above a limit."),
	COUNT(REGISTERED_FULL, "limited_registrations_total",
	      "why=\"max_registered\"", NULL),
	COUNT(MANY_DESCENDANTS, "limited_registrations_total",
	      "why=\"max_descendants\"", NULL),
	NOW(ENTITIES, "entities", NULL, "AEs and CSEs that are registered."),
	NOW(ENTITIES_ONLINE, "entities_online", NULL,
	    "AEs and CSEs that are connected."),
	NOW(ENTITIES_OCTETS, "entities_octets", NULL,
	    "Memory for what registrations say."),
	COUNT(CAME, "entity_changes_total", "what=\"online\"",
	      "Entities that came and went."),
	COUNT(WENT, "entity_changes_total", "what=\"offline\"", NULL),
	COUNT(REPLACED, "entity_changes_total", "what=\"replaced\"", NULL),
	COUNT(TAKEOVERS_REFUSED, "entity_changes_total",
	      "what=\"takeover_refused\"", NULL),

	NOW(INBOX_ITEMS, "inbox_items", NULL, "Stored notifications."),
	NOW(INBOX_OCTETS, "inbox_octets", NULL, "Octets of these."),
	COUNT(INBOX_STORED, "inbox_stored_total", NULL,
	      "Notifications that were stored."),
	COUNT(INBOX_DELIVERED, "inbox_ends_total", "how=\"delivered\"",
	      "What became of stored notifications."),
	COUNT(INBOX_DROPPED_OLDEST, "inbox_ends_total", "how=\"oldest\"", NULL),
	COUNT(INBOX_REFUSED, "inbox_ends_total", "how=\"refused\"", NULL),
	COUNT(INBOX_EXPIRED, "inbox_ends_total", "how=\"expired\"", NULL),
	COUNT(INBOX_REPLACED, "inbox_ends_total", "how=\"replaced\"", NULL),
	COUNT(INBOX_DROPPED, "inbox_ends_total", "how=\"dropped\"", NULL),
	COUNT(FAILED_COMMITS, "failed_commits_total", NULL,
	      "Writes to state_dir that failed."),
};

const uint32_t latency_bounds[LATENCY_BUCKETS - 1] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 10000000,
};

const struct stat_info upstream_stat_infos[UPSTREAM_STAT_COUNT] = {
	[UPSTREAM_STAT_WORKERS] = {
		"each_upstream_up", NULL,
		"Workers for which this upstream is up.", true },
	[UPSTREAM_STAT_PENDING] = {
		"each_upstream_pending", NULL,
		"Requests that it has not answered yet, or that wait for a "
		"connection to it.", true },
	[UPSTREAM_STAT_CONNECTIONS] = {
		"each_upstream_connections", NULL, "Connections to it.", true },
	[UPSTREAM_STAT_REQUESTS] = {
		"each_upstream_requests_total", NULL,
		"Requests that were given to it.", false },
	[UPSTREAM_STAT_FAILURES] = {
		"each_upstream_failures_total", NULL,
		"Requests without an answer of it that makes sense.",
		false },
	[UPSTREAM_STAT_MOVED] = {
		"each_upstream_moved_total", NULL,
		"Of these, requests that another upstream got instead.",
		false },
	[UPSTREAM_STAT_DOWNS] = {
		"each_upstream_downs_total", NULL,
		"Times that a worker found it down.", false },
	[UPSTREAM_STAT_FAILED_PROBES] = {
		"each_upstream_failed_probes_total", NULL,
		"Times that its health path was not answered well.", false },
};

const char *const queue_names[QUEUE_COUNT] = {
	[QUEUE_SESSION] = "session",
	[QUEUE_UPSTREAM] = "upstream",
	[QUEUE_INBOX] = "inbox",
};

const char *const latency_classes[LATENCY_CLASSES] = { "2xxx", "4xxx", "5xxx" };

static size_t class_of(int rsc)
{
	return rsc < 4000 ? 0 : rsc < 5000 ? 1 : 2;
}

void latency_note(struct latencies *l, int op, int rsc, uint64_t us)
{
	struct latency *of;
	size_t i = 0;

	if (op < 1 || (size_t)op > ARRAY_LEN(l->of))
		return;
	of = &l->of[op - 1][class_of(rsc)];
	while (i < ARRAY_LEN(latency_bounds) && us > latency_bounds[i])
		i++;
	of->buckets[i]++;
	of->sum_us += us;
}
