// SPDX-License-Identifier: GPL-2.0
/*
 * scope.c - which patches a new patch replaces, and with which it must not clash
 */
#include "core.h"

/**
 * klp_sets_replaces() - whether a new patch replaces an enabled one
 * @rec:	the new patch's record
 * @old:	a patch in stock's list
 *
 * Has a meaning from admit until the transition is complete: later, the sets
 * that it made free may have new patches.
 *
 * Context: any, under klp_mutex. Admit and commit ask the same question, and
 * the mutex makes sure that they get the same answer.
 */
bool notrace klp_sets_replaces(const struct klp_sets_record *rec,
			       const struct klp_patch *old)
{
	const struct klp_sets_record *old_rec = klp_sets_record_of(old);
	unsigned int i;

	if (rec->replace_all)
		return true;
	if (!old_rec)
		return rec->replace_stock;
	if (!rec->managed)
		return false;
	if (old_rec->replace_set == rec->replace_set)
		return true;
	for (i = 0; i < rec->nr_obsoletes; i++) {
		if (old_rec->replace_set == rec->obsoletes[i])
			return true;
	}
	return false;
}

/**
 * klp_sets_conflicts() - whether a new patch must have nothing in common with
 *	an enabled one
 * @rec:	the new patch's record
 * @old:	a patch in stock's list
 *
 * Two stock patches may stack, as they always could.
 *
 * Context: any, under klp_mutex.
 */
bool klp_sets_conflicts(const struct klp_sets_record *rec, const struct klp_patch *old)
{
	return !klp_sets_replaces(rec, old) &&
	       (rec->managed || klp_sets_record_of(old));
}

/**
 * klp_sets_who() - name a patch for the log
 * @buf:	at least KLP_SETS_WHO_LEN bytes
 * @patch:	the patch
 * @rec:	its record, or NULL for a stock patch
 *
 * Return: @buf.
 */
const char *klp_sets_who(char *buf, const struct klp_patch *patch,
			 const struct klp_sets_record *rec)
{
	if (rec && rec->managed)
		snprintf(buf, KLP_SETS_WHO_LEN, "'%s' of set %u", patch->mod->name,
			 rec->replace_set);
	else
		snprintf(buf, KLP_SETS_WHO_LEN, "stock patch '%s'", patch->mod->name);
	return buf;
}
