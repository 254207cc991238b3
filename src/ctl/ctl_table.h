#ifndef CTL_CTL_TABLE_H
#define CTL_CTL_TABLE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/* How a value is shown. What is absent or empty is a dash. */
enum ctl_cell {
	CELL_TEXT,			/* also numbers, to the left */
	CELL_NUMBER,			/* to the right */
	CELL_AGE,			/* seconds since 1970: for how long */
	CELL_LIST,			/* of texts; with how many more */
};

struct ctl_column {
	const char *title;
	const char *member;		/* of each row */
	enum ctl_cell kind;
	const char *total;		/* CELL_LIST: how many there are */
};

/* rows is an array of objects; columns are as wide as what is in them. now:
 * seconds since 1970. */
void ctl_table_write(FILE *to, const struct ctl_column *columns, size_t count,
		     const json_t *rows, int64_t now);

/* One row as lines of `title  value`; without those that are absent. */
void ctl_table_write_one(FILE *to, const struct ctl_column *columns,
			 size_t count, const json_t *row, int64_t now);

/* Appends text for a terminal: no control reaches it. */
void ctl_add_visible(struct buf *out, struct str text);

/* 3d4h and the like. */
void ctl_add_duration(struct buf *out, int64_t seconds);

/* Sorts rows by a member: numbers fall, texts rise. */
void ctl_sort(json_t *rows, const char *member);

#endif
