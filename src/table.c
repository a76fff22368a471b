// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - a hash table over the functions of one patch
 *
 * Used by name at admit, when addresses are not known yet, and by address later.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stringhash.h>

#include "table.h"

struct klp_sets_entry {
	struct hlist_node node;
	unsigned int hash;
	const struct klp_object *obj;
	struct klp_func *func;
};

/**
 * klp_sets_init_table() - allocate a table
 * @table:	the table
 * @max:	how many functions it must hold
 *
 * Return: 0 or -ENOMEM.
 */
int klp_sets_init_table(struct klp_sets_table *table, unsigned int max)
{
	table->bits = ilog2(max + 1) + 1;
	table->nr = 0;
	table->max = max;
	table->heads = kvcalloc(1UL << table->bits, sizeof(*table->heads), GFP_KERNEL);
	table->entries = kvcalloc(max + 1, sizeof(*table->entries), GFP_KERNEL);
	if (table->heads && table->entries)
		return 0;
	klp_sets_free_table(table);
	return -ENOMEM;
}

/**
 * klp_sets_free_table() - free a table
 * @table:	the table, which the caller may have zeroed instead of initialised
 */
void klp_sets_free_table(struct klp_sets_table *table)
{
	kvfree(table->heads);
	kvfree(table->entries);
	memset(table, 0, sizeof(*table));
}

static struct hlist_head *klp_sets_bucket(const struct klp_sets_table *table,
					  unsigned int hash)
{
	return &table->heads[hash_32(hash, table->bits)];
}

static void klp_sets_add(struct klp_sets_table *table, unsigned int hash,
			 const struct klp_object *obj, struct klp_func *func)
{
	struct klp_sets_entry *e;

	if (WARN_ON(table->nr == table->max))
		return;
	e = &table->entries[table->nr++];
	e->hash = hash;
	e->obj = obj;
	e->func = func;
	hlist_add_head(&e->node, klp_sets_bucket(table, hash));
}

/* As in stock livepatch, 0 (the name is unique) and 1 (its first) are the same. */
static unsigned long klp_sets_pos(const struct klp_func *func)
{
	return func->old_sympos ?: 1;
}

static unsigned int klp_sets_hash_name(unsigned int obj_hash, const struct klp_func *func)
{
	return hashlen_hash(hashlen_string((void *)(unsigned long)obj_hash, func->old_name)) +
	       klp_sets_pos(func);
}

/**
 * klp_sets_same_object() - whether two entries mean the same object
 * @a:		an object
 * @b:		another
 */
bool klp_sets_same_object(const struct klp_object *a, const struct klp_object *b)
{
	if (!a->name || !b->name)
		return a->name == b->name;
	return !strcmp(a->name, b->name);
}

/**
 * klp_sets_hash_object() - the object's part of the hash of its functions
 * @obj:	the object
 */
unsigned int klp_sets_hash_object(const struct klp_object *obj)
{
	return obj->name ? hashlen_hash(hashlen_string(NULL, obj->name)) : 0;
}

/**
 * klp_sets_find_name() - find the entry that means the same function
 * @table:	table filled with klp_sets_add_name()
 * @obj_hash:	klp_sets_hash_object() of @obj
 * @obj:	the object of the function
 * @func:	the function, with a name
 *
 * Return: the table's entry of the same object, name and position, or NULL.
 */
const struct klp_func *klp_sets_find_name(const struct klp_sets_table *table,
					  unsigned int obj_hash,
					  const struct klp_object *obj,
					  const struct klp_func *func)
{
	unsigned int hash = klp_sets_hash_name(obj_hash, func);
	const struct klp_sets_entry *e;

	hlist_for_each_entry(e, klp_sets_bucket(table, hash), node) {
		if (e->hash == hash && klp_sets_pos(e->func) == klp_sets_pos(func) &&
		    !strcmp(e->func->old_name, func->old_name) &&
		    klp_sets_same_object(e->obj, obj))
			return e->func;
	}
	return NULL;
}

/**
 * klp_sets_add_name() - add a function by its name
 * @table:	the table
 * @obj_hash:	klp_sets_hash_object() of @obj
 * @obj:	the object of the function
 * @func:	the function, with a name
 */
void klp_sets_add_name(struct klp_sets_table *table, unsigned int obj_hash,
		       const struct klp_object *obj, struct klp_func *func)
{
	klp_sets_add(table, klp_sets_hash_name(obj_hash, func), obj, func);
}

/**
 * klp_sets_find_addr() - find the entry that changes the same code
 * @table:	table filled with klp_sets_add_addr()
 * @func:	a function whose address is known
 *
 * Return: the table's entry of the same address, or NULL.
 */
struct klp_func *klp_sets_find_addr(const struct klp_sets_table *table,
				    const struct klp_func *func)
{
	const struct klp_sets_entry *e;

	hlist_for_each_entry(e, klp_sets_bucket(table, hash_ptr(func->old_func, 32)), node) {
		if (e->func->old_func == func->old_func)
			return e->func;
	}
	return NULL;
}

/**
 * klp_sets_add_addr() - add a function by its address
 * @table:	the table
 * @func:	a function whose address is known
 */
void klp_sets_add_addr(struct klp_sets_table *table, struct klp_func *func)
{
	klp_sets_add(table, hash_ptr(func->old_func, 32), NULL, func);
}
