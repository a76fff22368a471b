// SPDX-License-Identifier: GPL-2.0
/*
 * journal.c - what was done, for systemd's journal
 *
 * Its native protocol is a datagram with a line "FIELD=value" for each field. That is all there is
 * to it for values that have no newline, as printable() makes them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "read/journal.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/util.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* As syslog counts them. */
enum priority { WARNING = 4, NOTICE = 5, INFO = 6 };

static const struct {
	const char *id;
	enum priority priority;
} events[NR_EVENTS] = {
	[EVENT_LOADED] = { "d1077e7b05924b7b81044ff6b435f8da", INFO },
	[EVENT_LOADED_AT_BOOT] = { "ec3aa0b6778b412ba76fa23ca4ad7897", INFO },
	[EVENT_REPLACED] = { "08cc9cf18437479daa51984219ff76d1", INFO },
	[EVENT_UNLOADED] = { "dd3be01a262e454b87d56b209aca9da7", INFO },
	[EVENT_REFUSED] = { "5a1c6b95ee414af6b2d921cd76867303", WARNING },
	[EVENT_REFUSED_BY_KERNEL] = { "fad6c2d9c9334094927cdb9b1043572f", WARNING },
	[EVENT_STUCK] = { "7dfee2fc5e0a4365b39ed49362b14896", WARNING },
	[EVENT_REVERSED] = { "02f7a49791aa4506a754cc87ac8a38ca", NOTICE },
	[EVENT_FORCED] = { "2b6c5d7e79d142aab6b274410ba5b402", WARNING },
	[EVENT_STORED] = { "844884e2f6594d2cb914415a6fbf2bef", INFO },
	[EVENT_REMOVED] = { "3fe9aa7b24a44761a34573904ff0e47f", INFO },
	[EVENT_ROLLED_BACK] = { "fabc1cbadba9464991cf7c9ce15e851e", NOTICE },
	[EVENT_HELD] = { "240dda97e5414c0092e7e1741c62f1bc", WARNING },
	[EVENT_ASSIGNED] = { "de45671ccf534291afac9bc716052708", INFO },
	[EVENT_UNASSIGNED] = { "49f3be663ce54fc0b9f5fbf2a713b084", INFO },
	[EVENT_POLICY] = { "1b1d8f59886a4adcbf4f01143c173a0f", NOTICE },
};

struct entry {
	char *text;
};

static const char *verb;

void journal_verb(const char *name)
{
	verb = name;
}

struct entry *entry_new(enum event event)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	/* Of whoever loads the store, all is at boot. */
	if (event == EVENT_LOADED && verb && !strcmp(verb, "boot"))
		event = EVENT_LOADED_AT_BOOT;
	e->text = xasprintf("MESSAGE_ID=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=klp-sets\n",
			    events[event].id, events[event].priority);
	entry_add(e, "KLP_SETS_VERB", verb);
	return e;
}

void entry_add(struct entry *e, const char *field, const char *value)
{
	char *shown, *longer;

	if (!value)
		return;
	shown = printable(value);
	longer = xasprintf("%s%s=%s\n", e->text, field, shown);
	free(shown);
	free(e->text);
	e->text = longer;
}

void entry_add_set(struct entry *e, bool has_set, uint32_t set)
{
	char *number;

	if (!has_set)
		return;
	number = xasprintf("%u", set);
	entry_add(e, "KLP_SETS_SET", number);
	free(number);
	entry_add(e, "KLP_SETS_SET_NAME", set_name(set));
}

void entry_add_livepatch(struct entry *e, const struct livepatch *lp)
{
	entry_add(e, "KLP_SETS_LIVEPATCH", lp->name);
	entry_add_set(e, lp->has_set, lp->replace_set);
}

/* That of an image is of the image: where that is not running, there is none. */
static void send_datagram(const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, n;

	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s" JOURNAL_SOCKET, root_path());
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
	       sizeof(address));
	close(fd);
}

void entry_send(struct entry *e, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	entry_add(e, "MESSAGE", text);
	send_datagram(e->text);
	free(text);
	free(e->text);
	free(e);
}
