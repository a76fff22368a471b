// SPDX-License-Identifier: GPL-2.0
/* target_twin.c - the second function of the same name, symbol position 2 */
#include <linux/kernel.h>

const char *call_second_twin(void);

static __attribute__((__noipa__)) const char *twin(void)
{
	return "original";
}

const char *call_second_twin(void)
{
	return twin();
}
