// SPDX-License-Identifier: GPL-2.0
/* apart.c - a part of a verb in a process of its own: whatever happens there, the rest goes on */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verbs/apart.h"
#include "read/util.h"

int apart(const char *what, int (*fn)(const void *data), const void *data)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = fn(data);
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		warn("%s: %s", what, strerror(errno));
		return EXIT_REFUSED;
	}
	if (WIFSIGNALED(status)) {
		warn("%s: klp-sets ended with signal %d", what, WTERMSIG(status));
		return EXIT_REFUSED;
	}
	return WEXITSTATUS(status);
}
