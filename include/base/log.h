#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * One event, one line. An event has a name and typed fields; values that came
 * from a peer are escaped here, so no field can forge a line. Lines gather in
 * a buffer of the calling thread; log_flush() hands them to the kernel, the
 * reactor calls it once per loop turn. Warnings and errors flush at once.
 *
 * Whoever logs is never held up for long: when the sink takes nothing for
 * 0.1 s, lines are kept as far as the buffer goes, then dropped. The first
 * one after that is event=log_dropped with their number n.
 *
 * The sink and the level are this program's only file-scope state; they are
 * set before the threads start.
 */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_AUTO,	/* logfmt; with journal priorities under systemd */
	LOG_FORMAT_LOGFMT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_JOURNAL,	/* the journal's own, a field for each key */
};

struct log_conf {
	enum log_level level;
	enum log_format format;
	bool access;		/* one line per primitive */
	const char *journal;	/* the socket of JOURNAL; NULL: the system's */
};

struct log_field {
	const char *key;	/* NULL ends the list */
	enum { LOG_FIELD_STR, LOG_FIELD_UINT, LOG_FIELD_INT } type;
	struct str s;
	uint64_t u;
	int64_t i;
};

#define LOG_STR(k, v)  { .key = (k), .type = LOG_FIELD_STR, .s = (v) }
#define LOG_TEXT(k, v) { .key = (k), .type = LOG_FIELD_STR, .s = str_of(v) }
#define LOG_UINT(k, v) { .key = (k), .type = LOG_FIELD_UINT, .u = (v) }
#define LOG_INT(k, v)  { .key = (k), .type = LOG_FIELD_INT, .i = (v) }
#define LOG_ERRNO(err) LOG_TEXT("why", err_text(err))

/* Where the journal cannot be reached, logfmt goes to fd, with a warning. */
void log_setup(const struct log_conf *conf, int fd);

/* Any thread, at any time: level and access of conf. */
void log_change(const struct log_conf *conf);
bool log_enabled(enum log_level level);
bool log_access_enabled(void);

/* Fields up to one with a NULL key. */
void log_write(enum log_level level, const char *event,
	       const struct log_field *fields);
void log_flush(void);

#define log_event(level, event, ...)                                       \
	do {                                                               \
		if (log_enabled(level))                                    \
			log_write(level, event,                            \
				  (const struct log_field[]){ __VA_ARGS__, \
							      { 0 } });    \
	} while (0)

#define log_error(...)   log_event(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_event(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_event(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
