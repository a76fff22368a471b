// SPDX-License-Identifier: GPL-2.0
/* json.c - what several verbs write as JSON */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/json.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/util.h"

#define VERSION 1

struct json_object *json_new(void)
{
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "version", json_object_new_int(VERSION));
	return root;
}

void json_print(struct json_object *root)
{
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
						  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

/* JSON is UTF-8, and names of files need not be: U+FFFD stands for each other byte. */
struct json_object *json_text(const char *s)
{
	static const char unknown[] = "\xef\xbf\xbd";
	struct json_object *o;
	char *copy, *out;
	size_t n;

	if (!s)
		return NULL;
	out = copy = xcalloc(strlen(s) + 1, sizeof(unknown) - 1);
	for (; *s; s += n ? n : 1) {
		n = utf8_char(s);
		out = n ? mempcpy(out, s, n) : mempcpy(out, unknown, sizeof(unknown) - 1);
	}
	o = json_object_new_string_len(copy, out - copy);
	free(copy);
	return o;
}

struct json_object *json_id(unsigned long id)
{
	char *text = xasprintf("%lu", id);
	struct json_object *o = json_object_new_string(text);

	free(text);
	return o;
}

void json_add_set(struct json_object *o, bool has_set, uint32_t set)
{
	json_object_object_add(o, "set", has_set ? json_object_new_int64(set) : NULL);
	json_object_object_add(o, "set_name", json_text(has_set ? set_name(set) : NULL));
}

void json_add_set_of(struct json_object *o, const struct livepatch *lp)
{
	json_add_set(o, lp && lp->managed, lp ? lp->replace_set : 0);
}

struct json_object *json_sets(const uint32_t *sets, size_t n)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_int64(sets[i]));
	return array;
}

struct json_object *json_func(const struct func *func)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "object", json_text(func->object));
	json_object_object_add(o, "name", json_text(func->name));
	json_object_object_add(o, "sympos", json_object_new_uint64(func->sympos));
	return o;
}
