/* SPDX-License-Identifier: GPL-2.0 */
/* table.h - what several verbs print as a table, by libsmartcols */
#ifndef KLP_SETS_VERBS_TABLE_H
#define KLP_SETS_VERBS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Set by --no-headings, which is an option of each verb that prints one: TABLE_OPTIONS. */
extern bool opt_no_headings;

#define TABLE_OPTIONS \
	{ "no-headings", 0, TAKES_NOTHING, &opt_no_headings, "no line above the columns" }

struct table;

/* A column for each of the headings, which end with NULL. */
struct table *table_new(const char *const *headings);
/* A row of so many cells as there are headings, which are copied. */
void table_add(struct table *t, const char *const *cells);
/* Prints some rows, in columns as wide as those of all rows need. */
void table_print(struct table *t, size_t first, size_t last);
void table_free(struct table *t);

#endif /* KLP_SETS_VERBS_TABLE_H */
