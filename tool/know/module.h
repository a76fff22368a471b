/* SPDX-License-Identifier: GPL-2.0 */
/* module.h - modules loaded and removed, through libkmod */
#ifndef KLP_SETS_KNOW_MODULE_H
#define KLP_SETS_KNOW_MODULE_H

#include <stdbool.h>
#include <stddef.h>

struct module_file;

/* Whether a module of this name is there, and is not built in. */
bool module_is_loaded(const char *name);

/* The module klp_sets, as it is loaded and as the next boot will load it. */
struct core {
	char *version;		/* that is loaded, or NULL */
	char *installed;	/* the version of the file, or NULL */
	bool other_build;	/* the file is not what is loaded */
	bool untested;		/* this kernel is newer than those that it was tested on */
	bool dead;		/* ftrace has stopped, and it with it */
	unsigned long anomalies; /* how often the kernel did not do what it should */
};

/* To be freed never. */
const struct core *module_core(void);
/* Loads klp_sets with modprobe's rules, unless it is there. Dies with advice. */
void module_need_core(void);
/*
 * Loads a module of this name with its dependencies, as the file was read, with the parameters
 * of modprobe's configuration and these, or NULL. 0 or a negative errno, with what the kernel
 * said about it in *said, as kmsg_read().
 */
int module_insert(const struct module_file *file, const char *name, const char *parameters,
		  char **said);
/*
 * Whether the module of this name is what is in the file, with these parameters or NULL: by what was noted when it was loaded
 * in this boot, and by its build id. False when nobody knows.
 */
bool module_is_file(const struct module_file *file, const char *name, const char *parameters);
/* To be called when it was loaded, for this. */
void module_note_loaded(const struct module_file *file, const char *name, const char *parameters);
/* Why a module could not be loaded, when the kernel did not say. */
const char *module_strerror(int err);
/*
 * Removes the modules of replaced or disabled patches when it is safe: waits, for as
 * many seconds (-1: for ever), until no task that was exiting, and that no transition
 * sees, can still run their code. 0 or -errno, with a message for each that is kept.
 */
int modules_remove_old(char *const *names, size_t nr, double seconds);
int module_remove_old(const char *name, double seconds);

#endif /* KLP_SETS_KNOW_MODULE_H */
