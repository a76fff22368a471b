/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - a hash table over the functions of one patch
 *
 * Looking up every function of every other patch in it makes a check linear:
 * one lookup each, and no pair of functions is compared but where hashes meet.
 */
#ifndef _KLP_SETS_TABLE_H
#define _KLP_SETS_TABLE_H

#include <linux/livepatch.h>

struct klp_sets_table {
	unsigned int bits;
	unsigned int nr;
	unsigned int max;
	struct hlist_head *heads;
	struct klp_sets_entry *entries;
};

int klp_sets_init_table(struct klp_sets_table *table, unsigned int max);
void klp_sets_free_table(struct klp_sets_table *table);

bool klp_sets_same_object(const struct klp_object *a, const struct klp_object *b);
unsigned int klp_sets_hash_object(const struct klp_object *obj);
const struct klp_func *klp_sets_find_name(const struct klp_sets_table *table,
					  unsigned int obj_hash,
					  const struct klp_object *obj,
					  const struct klp_func *func);
void klp_sets_add_name(struct klp_sets_table *table, unsigned int obj_hash,
		       const struct klp_object *obj, struct klp_func *func);

struct klp_func *klp_sets_find_addr(const struct klp_sets_table *table,
				    const struct klp_func *func);
void klp_sets_add_addr(struct klp_sets_table *table, struct klp_func *func);

#endif /* _KLP_SETS_TABLE_H */
