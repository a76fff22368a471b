/* SPDX-License-Identifier: GPL-2.0 */
/* json.h - what several verbs write as JSON */
#ifndef KLP_SETS_VERBS_JSON_H
#define KLP_SETS_VERBS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct func;
struct json_object;
struct livepatch;

/*
 * All that is printed is one object, as klp-sets.schema.json tells. It has the version of
 * that, another one when a member goes or means something else.
 */
struct json_object *json_new(void);
/* Prints it, and frees it. */
void json_print(struct json_object *root);

/* null for NULL */
struct json_object *json_text(const char *s);
/* As a string: JSON has no numbers of 64 bits that everybody can read. */
struct json_object *json_id(unsigned long id);
/* The members "set" and "set_name": whoever shows one has the other. null for what is of none. */
void json_add_set(struct json_object *o, bool has_set, uint32_t set);
/* The same of a livepatch, or of NULL. */
void json_add_set_of(struct json_object *o, const struct livepatch *lp);
struct json_object *json_sets(const uint32_t *sets, size_t n);
struct json_object *json_func(const struct func *func);

#endif /* KLP_SETS_VERBS_JSON_H */
