/* SPDX-License-Identifier: GPL-2.0 */
/* json.h - what several verbs write as JSON */
#ifndef KLP_SETS_VERBS_JSON_H
#define KLP_SETS_VERBS_JSON_H

struct func;
struct json_object;

/* null for NULL */
struct json_object *json_text(const char *s);
/* As a string: JSON has no numbers of 64 bits that everybody can read. */
struct json_object *json_id(unsigned long id);
struct json_object *json_func(const struct func *func);

#endif /* KLP_SETS_VERBS_JSON_H */
