// SPDX-License-Identifier: GPL-2.0
/* json.c - what several verbs write as JSON */
#include <json.h>
#include <stdlib.h>

#include "verbs/json.h"
#include "read/livepatch.h"
#include "read/util.h"

struct json_object *json_text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

struct json_object *json_id(unsigned long id)
{
	char *text = xasprintf("%lu", id);
	struct json_object *o = json_object_new_string(text);

	free(text);
	return o;
}

struct json_object *json_func(const struct func *func)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "object", json_text(func->object));
	json_object_object_add(o, "name", json_text(func->name));
	json_object_object_add(o, "sympos", json_object_new_int64(func->sympos));
	return o;
}
