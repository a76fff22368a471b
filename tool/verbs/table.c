// SPDX-License-Identifier: GPL-2.0
/* table.c - what several verbs print as a table, by libsmartcols */
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/table.h"
#include "read/util.h"

bool opt_no_headings;

struct table {
	struct libscols_table *table;
};

static void must(int err)
{
	if (err)
		die("out of memory");
}

/* As others do it: https://no-color.org */
static bool wants_colors(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static void add_column(struct libscols_table *table, const char *heading)
{
	struct libscols_column *column = scols_table_new_column(table, heading, 0, 0);

	must(!column);
	must(scols_cell_set_color(scols_column_get_header(column), "bold"));
}

struct table *table_new(const char *const *headings)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->table = scols_new_table();
	must(!t->table);
	must(scols_table_set_column_separator(t->table, "  "));
	must(scols_table_enable_noheadings(t->table, opt_no_headings));
	must(scols_table_enable_colors(t->table, wants_colors()));
	for (; *headings; headings++)
		add_column(t->table, *headings);
	return t;
}

void table_add(struct table *t, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line(t->table, NULL);

	must(!line);
	/* As everywhere else: libsmartcols has another way to write what must not be shown. */
	for (size_t i = 0; i < scols_table_get_ncols(t->table); i++)
		must(scols_line_refer_data(line, i, printable(cells[i])));
}

void table_print(struct table *t, size_t first, size_t last)
{
	struct libscols_line *start = scols_table_get_line(t->table, first);
	struct libscols_line *end = scols_table_get_line(t->table, last);

	must(scols_table_print_range(t->table, start, end));
	/* It ends each line but the last one of all. */
	if (last + 1 == scols_table_get_nlines(t->table))
		putchar('\n');
}

void table_free(struct table *t)
{
	scols_unref_table(t->table);
	free(t);
}
