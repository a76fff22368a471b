// SPDX-License-Identifier: GPL-2.0
/* signature.c - the signature behind a module file */
#include <string.h>

#include "read/modfile.h"
#include "read/signature.h"

/* The very end of a file that is signed: MODULE_SIG_STRING. */
#define MARK "~Module signature appended~\n"

/* struct module_signature before it; its last four bytes are the size of what is before that. */
#define INFO_SIZE 12

bool is_signed(const struct module_file *file)
{
	size_t len = strlen(MARK);

	return file->content_size >= len &&
	       !memcmp(file->content + file->content_size - len, MARK, len);
}

/*
 * In it are the issuer and the number of the key, in DER, where text is text. /proc/keys
 * has no more of a key than a name.
 */
bool signature_names(const struct module_file *file, const char *name)
{
	size_t end = file->content_size, size;
	const unsigned char *p;

	if (!is_signed(file) || end < strlen(MARK) + INFO_SIZE)
		return false;
	end -= strlen(MARK);
	p = file->content + end - 4;
	size = (size_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	end -= INFO_SIZE;
	return size <= end && memmem(file->content + end - size, size, name, strlen(name));
}
