/* SPDX-License-Identifier: GPL-2.0 */
/* modfile.h - a module file, read once: what is judged is what is stored and loaded */
#ifndef KLP_SETS_READ_MODFILE_H
#define KLP_SETS_READ_MODFILE_H

#include <stddef.h>

/* More than any module: the size of a file, and of what a compressed one may become. */
#define MODULE_FILE_MAX (256UL << 20)

struct module_file {
	char *path;		/* for messages: what is there now may be another file */
	int fd;			/* for kernels that want to know where a module comes from */
	unsigned char *data;	/* as it is on disk */
	size_t size;
	const char *ending;	/* ".ko", or ".ko.xz" */
	unsigned char *content;	/* decompressed; *data* when it is not compressed */
	size_t content_size;
};

/* NULL with the reason in *why, which is to be freed. */
struct module_file *module_file_open(const char *path, char **why);
/* Tells two files apart by what is in them, decompressed: "SIZE-HASH". To be freed. */
char *module_file_sum(const struct module_file *file);
void module_file_close(struct module_file *file);

#endif /* KLP_SETS_READ_MODFILE_H */
