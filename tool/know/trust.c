// SPDX-License-Identifier: GPL-2.0
/* trust.c - whether this kernel would take a module file, by its signature */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "know/trust.h"
#include "read/signature.h"
#include "read/util.h"

#define ENFORCED	"/sys/module/module/parameters/sig_enforce"
#define LOCKDOWN	"/sys/kernel/security/lockdown"
#define KEYS		"/proc/keys"

static bool has_word(const char *path, const char *word)
{
	char *text = read_file(path);
	bool found = text && strstr(text, word);

	free(text);
	return found;
}

static bool wants_signatures(void)
{
	return has_word(ENFORCED, "Y") || has_word(LOCKDOWN, "[integrity]") ||
	       has_word(LOCKDOWN, "[confidentiality]");
}

/*
 * A line of /proc/keys: "... asymmetri ORGANISATION: NAME: NUMBER: X509.rsa ...". Cuts it to
 * the name, which is in the signature as well; NULL for other keys.
 */
static const char *key_name(char *line)
{
	char *name = strstr(line, " asymmetri "), *end;

	if (!name)
		return NULL;
	name += strlen(" asymmetri ");
	end = strstr(name, ": X509.");
	if (!end)
		return NULL;
	*end = '\0';
	end = strrchr(name, ':');
	if (!end)
		return NULL;
	*end = '\0';
	end = strrchr(name, ':');
	return end && end[1] == ' ' ? end + 2 : name;
}

/* False also when it shows no keys at all. */
static bool is_by_stranger(const struct module_file *file)
{
	char *text = read_file(KEYS), *line, *rest;
	bool known = false, any = false;

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line && !known;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *name = key_name(line);

		any |= name != NULL;
		known = name && *name && signature_names(file, name);
	}
	free(text);
	return any && !known;
}

const char *why_not_trusted(const struct module_file *file)
{
	if (!wants_signatures())
		return NULL;
	if (!is_signed(file))
		return "it is not signed, and this kernel takes signed modules only";
	if (is_by_stranger(file))
		return "it is signed, and this kernel takes only modules that are signed by a key of its own, none of which has the name of that";
	return NULL;
}
