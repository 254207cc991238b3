#define _GNU_SOURCE	/* memrchr, memmem */
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

/*
 * A line is built straight in the thread's buffer, without printf: with the
 * access log on there is one per primitive. The buffer is never more than
 * half full when a line starts; a field that might not fit any more is left
 * out, so a line always ends.
 *
 * A pipe that nobody reads must not hold up the loop. O_NONBLOCK would be
 * seen by everybody who shares the open file, so poll(2) tells whether a piece
 * can be written; the lock keeps our other threads from using up that room in
 * between. What is not taken stays in the buffer, and when that is full, lines
 * are dropped and counted.
 */
#define JOURNAL	    "/run/systemd/journal/socket"
#define RECORD_END  STR("\n\n")		/* no field is empty */
#define LINE_ROOM   (48 * 1024)
#define FLUSH_AT    (16 * 1024)
#define PIECE_MAX   PIPE_BUF		/* fits where poll(2) sees room */
#define VALUE_MAX   256			/* octets of a value; more is cut */
#define EXPANSION   6			/* \u00XX for one octet */
#define FIELD_ROOM  (128 + VALUE_MAX * EXPANSION)
#define PATIENCE_MS 100			/* with a slow reader */
#define STAMP_LEN   24			/* 2026-11-23T22:34:20.123Z */

static struct {
	int fd;
	_Atomic(enum log_level) level;
	enum log_format format;
	bool journal;
	bool native;			/* fd is the journal's socket, owned */
	atomic_bool access;
	bool may_block;			/* no regular file; then under lock: */
	bool stuck;			/* it took nothing the last time */
	pthread_mutex_t lock;
} sink = {
	.fd = STDERR_FILENO,
	.level = LOG_LEVEL_INFO,
	.format = LOG_FORMAT_LOGFMT,
	.access = true,
	.may_block = true,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static _Thread_local struct {
	size_t len;
	uint64_t dropped;		/* lines, not told yet */
	time_t second;			/* that stamp stands for */
	char stamp[STAMP_LEN + 1];
	char text[FLUSH_AT + LINE_ROOM];
} out;

static const struct {
	struct str logfmt, json, journal, native;
} levels[] = {
	[LOG_LEVEL_ERROR] = { STR_INIT("level=error event="),
			      STR_INIT("\"level\":\"error\",\"event\":\""),
			      STR_INIT("<3>level=error event="),
			      STR_INIT("PRIORITY=3\n") },
	[LOG_LEVEL_WARNING] = { STR_INIT("level=warning event="),
				STR_INIT("\"level\":\"warning\",\"event\":\""),
				STR_INIT("<4>level=warning event="),
				STR_INIT("PRIORITY=4\n") },
	[LOG_LEVEL_INFO] = { STR_INIT("level=info event="),
			     STR_INIT("\"level\":\"info\",\"event\":\""),
			     STR_INIT("<6>level=info event="),
			     STR_INIT("PRIORITY=6\n") },
	[LOG_LEVEL_DEBUG] = { STR_INIT("level=debug event="),
			      STR_INIT("\"level\":\"debug\",\"event\":\""),
			      STR_INIT("<7>level=debug event="),
			      STR_INIT("PRIORITY=7\n") },
};

/* What an octet asks of the value that it is in. */
enum {
	NEEDS_QUOTES = 1,	/* logfmt: the value is put in quotes */
	NEEDS_ESCAPE = 2,	/* both: within quotes it is escaped */
	NOT_ASCII = 4,		/* the sequence must be looked at */
};

static const unsigned char octets[256] = {
	[0 ... 31] = NEEDS_QUOTES | NEEDS_ESCAPE,
	[' '] = NEEDS_QUOTES,
	['='] = NEEDS_QUOTES,
	['"'] = NEEDS_QUOTES | NEEDS_ESCAPE,
	['\\'] = NEEDS_ESCAPE,
	[127] = NEEDS_QUOTES | NEEDS_ESCAPE,
	[128 ... 255] = NOT_ASCII,
};

static void add(struct str s)
{
	memcpy(out.text + out.len, s.p, s.len);
	out.len += s.len;
}

static void add_char(char c)
{
	out.text[out.len++] = c;
}

static void add_uint(uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	add((struct str){ digits + at, sizeof(digits) - at });
}

static void add_int(int64_t n)
{
	if (n < 0)
		add_char('-');
	add_uint(n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

/* How many octets at p are one harmless UTF-8 character; 0: none. The C1
 * controls U+0080 to U+009F are not: terminals obey them. */
static size_t character(const char *p, size_t len)
{
	unsigned char lead = (unsigned char)p[0];
	size_t n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (n > len || !utf8_valid((struct str){ p, n }))
		return 0;
	if (lead == 0xc2 && (unsigned char)p[1] < 0xa0)
		return 0;
	return n;
}

static void add_hex(struct str prefix, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	add(prefix);
	add_char(hex[c >> 4]);
	add_char(hex[c & 15]);
}

static void add_escaped(unsigned char c, bool json)
{
	if (c == '"' || c == '\\') {
		add_char('\\');
		add_char((char)c);
	} else if (c == '\n') {
		add(STR("\\n"));
	} else if (c == '\t') {
		add(STR("\\t"));
	} else {
		add_hex(json ? STR("\\u00") : STR("\\x"), c);
	}
}

static void add_inside_quotes(struct str s, bool json)
{
	for (size_t i = 0; i < s.len;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = 1;

		if (octets[c] & NOT_ASCII)
			n = character(s.p + i, s.len - i);
		if (n == 0 || (octets[c] & NEEDS_ESCAPE)) {
			add_escaped(c, json);
			n = 1;
		} else {
			add((struct str){ s.p + i, n });
		}
		i += n;
	}
}

/* The union of what its octets need; text that is not ASCII but harmless
 * needs nothing in logfmt. */
static unsigned needs_of(struct str s)
{
	unsigned needs = 0;

	for (size_t i = 0; i < s.len; i++)
		needs |= octets[(unsigned char)s.p[i]];
	if (!(needs & NOT_ASCII))
		return needs;
	for (size_t i = 0, n; i < s.len; i += n) {
		n = 1;
		if (octets[(unsigned char)s.p[i]] & NOT_ASCII)
			n = character(s.p + i, s.len - i);
		if (n == 0)
			return needs | NEEDS_QUOTES | NEEDS_ESCAPE;
	}
	return needs;
}

/* Not in the middle of a character. */
static struct str cut(struct str s)
{
	s.len = VALUE_MAX;
	for (int i = 0; i < 3 && (s.p[s.len] & 0xc0) == 0x80; i++)
		s.len--;
	return s;
}

static void add_str(struct str s)
{
	bool json = sink.format == LOG_FORMAT_JSON;
	bool whole = s.len <= VALUE_MAX;
	bool quotes;
	unsigned needs;

	if (!whole)
		s = cut(s);
	needs = needs_of(s);
	quotes = json || s.len == 0 || (needs & NEEDS_QUOTES);
	if (quotes)
		add_char('"');
	if (!quotes || (s.len > 0 && !(needs & (NEEDS_ESCAPE | NOT_ASCII))))
		add(s);
	else
		add_inside_quotes(s, json);
	if (!whole)
		add(STR("..."));
	if (quotes)
		add_char('"');
}

static void add_bare(struct str s)
{
	bool whole = s.len <= VALUE_MAX;

	if (!whole)
		s = cut(s);
	if (needs_of(s) & NEEDS_ESCAPE)
		add_inside_quotes(s, false);
	else
		add(s);
	if (!whole)
		add(STR("..."));
}

static void add_key(const char *key)
{
	struct str k = str_of(key);

	if (sink.format == LOG_FORMAT_JSON) {
		add(STR(",\""));
		add(k);
		add(STR("\":"));
	} else {
		add_char(' ');
		add(k);
		add_char('=');
	}
}

static bool has_room(void)
{
	return out.len + FIELD_ROOM <= sizeof(out.text);
}

static void add_value(const struct log_field *f, void (*add_text)(struct str s))
{
	switch (f->type) {
	case LOG_FIELD_STR:
		add_text(f->s);
		break;
	case LOG_FIELD_UINT:
		add_uint(f->u);
		break;
	case LOG_FIELD_INT:
		add_int(f->i);
		break;
	}
}

static void add_field(const struct log_field *f)
{
	if (!has_room())
		return;
	add_key(f->key);
	add_value(f, add_str);
}

/* M2MWSD_KEY=value on a line of its own; the value is in no quotes, and escaped
 * as in logfmt only where it could not stand as it is. */
static void add_journal_field(const struct log_field *f)
{
	if (!has_room())
		return;
	add(STR("\nM2MWSD_"));
	for (const char *c = f->key; *c != '\0'; c++)
		add_char((char)toupper((unsigned char)*c));
	add_char('=');
	add_value(f, add_bare);
}

/* All but the milliseconds is made once a second. */
static struct str timestamp(void)
{
	struct timespec now;
	struct tm tm;
	unsigned ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != out.second || out.stamp[0] == '\0') {
		gmtime_r(&now.tv_sec, &tm);
		strftime(out.stamp, sizeof(out.stamp),
			 "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		out.second = now.tv_sec;
	}
	ms = (unsigned)(now.tv_nsec / 1000000);
	out.stamp[STAMP_LEN - 4] = (char)('0' + ms / 100);
	out.stamp[STAMP_LEN - 3] = (char)('0' + ms / 10 % 10);
	out.stamp[STAMP_LEN - 2] = (char)('0' + ms % 10);
	return (struct str){ out.stamp, STAMP_LEN };
}

static void add_head(enum log_level level, const char *event)
{
	if (sink.native) {
		add(levels[level].native);
		add(STR("SYSLOG_IDENTIFIER=m2mwsd\nMESSAGE="));
		add(str_of(event));
	} else if (sink.journal) {
		add(levels[level].journal);
		add(str_of(event));
	} else if (sink.format == LOG_FORMAT_JSON) {
		add(STR("{\"ts\":\""));
		add(timestamp());
		add(STR("\","));
		add(levels[level].json);
		add(str_of(event));
		add_char('"');
	} else {
		add(STR("ts="));
		add(timestamp());
		add_char(' ');
		add(levels[level].logfmt);
		add(str_of(event));
	}
}

/* The journal's own socket, not whatever replaced it: the variable is
 * inherited by programs whose output goes elsewhere (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char *end;

	if (stream == NULL || fstat(fd, &st) < 0)
		return false;
	return strtoull(stream, &end, 10) == st.st_dev && *end == ':' &&
	       strtoull(end + 1, &end, 10) == st.st_ino && *end == '\0';
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* A reader that is slow is waited for, one that is stuck is not. */
static bool may_write(void)
{
	struct pollfd p = { .fd = sink.fd, .events = POLLOUT };

	return poll(&p, 1, sink.stuck ? 0 : PATIENCE_MS) > 0;
}

/* Whole lines, which then are not mixed with those of other threads. */
static size_t piece_of(struct str s)
{
	const char *end;

	if (s.len <= PIECE_MAX)
		return s.len;
	end = memrchr(s.p, '\n', PIECE_MAX);
	return end != NULL ? (size_t)(end - s.p) + 1 : PIECE_MAX;
}

/* One event is one datagram; what the journal will never take is skipped. */
static size_t send_one(struct str s)
{
	struct str end = RECORD_END;
	const char *at = memmem(s.p, s.len, end.p, end.len);
	size_t len = at != NULL ? (size_t)(at - s.p) + end.len : s.len;
	ssize_t n;

	do
		n = send(sink.fd, s.p, len - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 && (errno == EAGAIN || errno == ENOBUFS) ? 0 : len;
}

/* The octets that were taken; 0: none can be, for now. */
static size_t write_some(struct str s)
{
	ssize_t n;

	if (sink.native)
		return may_write() ? send_one(s) : 0;
	do {
		if (sink.may_block && !may_write())
			return 0;
		n = write(sink.fd, s.p, sink.may_block ? piece_of(s) : s.len);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

/* Gives the octets that were taken. */
static size_t write_out(struct str s)
{
	size_t done = 0, n;

	do {
		n = write_some(str_skip(s, done));
		done += n;
	} while (n > 0 && done < s.len);
	return done;
}

static size_t write_locked(struct str s)
{
	size_t done;

	pthread_mutex_lock(&sink.lock);
	done = write_out(s);
	sink.stuck = done < s.len;
	pthread_mutex_unlock(&sink.lock);
	return done;
}

static void add_journal_fields(const char *event,
			       const struct log_field *fields)
{
	const struct log_field name = LOG_TEXT("event", event);

	for (add_journal_field(&name); fields->key != NULL; fields++)
		add_journal_field(fields);
	add_char('\n');
}

static void add_line(enum log_level level, const char *event,
		     const struct log_field *fields)
{
	const struct log_field *f;

	add_head(level, event);
	for (f = fields; f->key != NULL; f++)
		add_field(f);
	if (sink.native)
		add_journal_fields(event, fields);
	if (sink.format == LOG_FORMAT_JSON)
		add_char('}');
	add_char('\n');
}

/* False: the buffer still holds what the sink did not take. */
static bool begin_line(void)
{
	struct log_field fields[] = { LOG_UINT("n", out.dropped), { 0 } };

	if (out.len >= FLUSH_AT) {
		out.dropped++;
		return false;
	}
	if (out.dropped > 0)
		add_line(LOG_LEVEL_WARNING, "log_dropped", fields);
	out.dropped = 0;
	return true;
}

void log_change(const struct log_conf *conf)
{
	atomic_store(&sink.level, conf->level);
	atomic_store(&sink.access, conf->access);
}

/* ERR_LIMIT, or as socket() and connect() say. */
static int open_journal(int *out_fd, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return ERR_LIMIT;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*out_fd = fd;
	return 0;
}

void log_setup(const struct log_conf *conf, int fd)
{
	int err = 0;

	if (sink.native)
		close(sink.fd);
	sink.fd = fd;
	if (conf->format == LOG_FORMAT_JOURNAL)
		err = open_journal(&sink.fd, conf->journal != NULL ?
						     conf->journal : JOURNAL);
	log_change(conf);
	sink.format = conf->format;
	sink.native = conf->format == LOG_FORMAT_JOURNAL && !err;
	sink.journal = conf->format == LOG_FORMAT_AUTO && is_journal(fd);
	sink.may_block = !is_regular(sink.fd);
	sink.stuck = false;
	out.len = 0;
	out.dropped = 0;
	if (err)
		log_warning("journal_failed", LOG_ERRNO(err));
}

bool log_enabled(enum log_level level)
{
	return level <= atomic_load_explicit(&sink.level,
					     memory_order_relaxed);
}

bool log_access_enabled(void)
{
	return atomic_load_explicit(&sink.access, memory_order_relaxed) &&
	       log_enabled(LOG_LEVEL_INFO);
}

void log_write(enum log_level level, const char *event,
	       const struct log_field *fields)
{
	if (!begin_line())
		return;
	add_line(level, event, fields);
	if (level <= LOG_LEVEL_WARNING || out.len >= FLUSH_AT)
		log_flush();
}

void log_flush(void)
{
	struct str s = { out.text, out.len };
	size_t done;

	if (s.len == 0)
		return;
	done = sink.may_block ? write_locked(s) : write_out(s);
	memmove(out.text, out.text + done, s.len - done);
	out.len -= done;
}
