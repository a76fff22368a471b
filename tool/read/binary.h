/* SPDX-License-Identifier: GPL-2.0 */
/* binary.h - the functions in a vmlinux or in the file of a module, and where ftrace can be */
#ifndef KLP_SETS_READ_BINARY_H
#define KLP_SETS_READ_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether ftrace, and so a livepatch, can come between a function and its callers. */
enum trace { TRACE_UNKNOWN, TRACE_NO, TRACE_YES };

struct binary_symbol {
	const char *name;
	uint64_t addr, size;
	enum trace trace;
	size_t number;		/* in the file */
};

/* What is in such a file, in the order of the kernel's positions. */
struct binary {
	struct binary_symbol *all;
	size_t nr;
	char *names;		/* all names are in here */
};

/* Whether it could be a vmlinux; false also when it cannot be read. */
bool is_binary(const char *path);
/* False with errno. */
bool binary_read_kernel(const char *path, struct binary *b);
/*
 * False if the file is not a module. Each module that is read needs a *number*, from 1: their
 * addresses are made up from it, since nobody knows those that they will get.
 */
bool binary_read_module(const char *path, unsigned long number, struct binary *b);

#endif /* KLP_SETS_READ_BINARY_H */
