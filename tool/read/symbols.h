/* SPDX-License-Identifier: GPL-2.0 */
/* symbols.h - the functions of a kernel and its modules, by name and position */
#ifndef KLP_SETS_READ_SYMBOLS_H
#define KLP_SETS_READ_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/binary.h"

struct func;

/* Functions of a kernel and of modules. */
struct symbols;

struct found {
	size_t nr;		/* how many have the name */
	/* Of the one that is meant: */
	uint64_t addr;		/* 0 when there is none, or it is hidden */
	enum trace trace;
};

struct symbols *symbols_new(void);
/* A System.map, a copy of /proc/kallsyms, or a vmlinux; NULL with errno. */
struct symbols *symbols_read(const char *path);
void symbols_free(struct symbols *s);
/*
 * From now on, what is asked of modules that are not known, or whose addresses are hidden,
 * is looked up in their files, below a folder as /lib/modules/RELEASE is one.
 */
void symbols_use_modules(struct symbols *s, const char *folder);
/* The list of ftrace on this machine tells what can be traced, when that is asked. */
void symbols_use_ftrace(struct symbols *s);

size_t symbols_count(const struct symbols *s);
/* Whether anything is known of the kernel ("vmlinux"), or of this module. */
bool symbols_have(struct symbols *s, const char *object);
/* Whether it has symbols, and no addresses: those are for root, or for nobody. */
bool symbols_hidden(const struct symbols *s, const char *object);
struct found symbols_find(struct symbols *s, const struct func *func);
/* A name that the object has for an address; the next one with the same *i, 0 at first. */
const char *symbols_name(const struct symbols *s, const char *object, uint64_t addr, size_t *i);

#endif /* KLP_SETS_READ_SYMBOLS_H */
