/* SPDX-License-Identifier: GPL-2.0 */
/* symbols.h - the functions of a kernel and its modules, by name and position */
#ifndef KLP_SETS_READ_SYMBOLS_H
#define KLP_SETS_READ_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct func;

/* Functions of a kernel and of modules that are loaded. */
struct symbols;
/* A System.map or a copy of /proc/kallsyms; NULL with errno. */
struct symbols *symbols_read(const char *path);
void symbols_free(struct symbols *s);
/*
 * Those of the running kernel, which are many: read once, and again when another module
 * has come or gone. NULL with errno. They stay this function's.
 */
const struct symbols *symbols_of_kernel(void);
/* Whether anything is known of the kernel ("vmlinux"), or of this module. */
bool symbols_have(const struct symbols *s, const char *object);
/* How many have the name. *addr is 0 when there is none, or it is hidden. */
size_t symbols_find(const struct symbols *s, const struct func *func, uint64_t *addr);
/* A name that the object has for an address; the next one with the same *i, 0 at first. */
const char *symbols_name(const struct symbols *s, const char *object, uint64_t addr, size_t *i);

#endif /* KLP_SETS_READ_SYMBOLS_H */
