// SPDX-License-Identifier: GPL-2.0
/* signature.c - the signature behind a module file */
#include <string.h>

#include "read/modfile.h"
#include "read/signature.h"

/* The very end of a file that is signed: MODULE_SIG_STRING. */
#define MARK "~Module signature appended~\n"

bool is_signed(const struct module_file *file)
{
	size_t len = strlen(MARK);

	return file->content_size >= len &&
	       !memcmp(file->content + file->content_size - len, MARK, len);
}
