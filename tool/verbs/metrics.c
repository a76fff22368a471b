// SPDX-License-Identifier: GPL-2.0
/*
 * metrics.c - klp-sets metrics: what is to be watched on many machines
 *
 * OpenMetrics text that is Prometheus' own, older text as well: node_exporter reads only
 * that. The two write the type of a counter differently, so counters have none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verbs/metrics.h"
#include "know/effect.h"
#include "know/kept.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "keep/store.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/sysfs.h"
#include "read/util.h"

/* Text in the quotes of a label. */
static char *quoted(const char *text)
{
	char *shown = printable(text ? text : ""), *all = xcalloc(2 * strlen(shown) + 1, 1);
	char *out = all;

	for (const char *c = shown; *c; c++) {
		if (*c == '"' || *c == '\\')
			*out++ = '\\';
		*out++ = *c;
	}
	free(shown);
	return all;
}

static void family(FILE *to, const char *name, const char *type, const char *help)
{
	if (type)
		fprintf(to, "# TYPE klp_sets_%s %s\n", name, type);
	fprintf(to, "# HELP klp_sets_%s %s\n", name, help);
}

static void gauge(FILE *to, const char *name, const char *help, double value)
{
	family(to, name, "gauge", help);
	fprintf(to, "klp_sets_%s %.15g\n", name, value);
}

/* {patch="vendor_a_v1",set="1"}; the set of a stock livepatch is empty. */
static char *labels(const char *name, bool has_set, uint32_t set, const char *more)
{
	char *shown = quoted(name), *number = has_set ? xasprintf("%u", set) : xstrdup("");
	char *all = xasprintf("{patch=\"%s\",set=\"%s\"%s}", shown, number, more);

	free(shown);
	free(number);
	return all;
}

static char *patch_labels(const struct livepatch *lp, const char *more)
{
	return labels(lp->name, lp->managed, lp->replace_set, more);
}

/* --- the engine --------------------------------------------------------------------- */

static void counter(FILE *to, const char *name, const char *file, const char *help)
{
	char *text = sysfs_read(SYS_KLP_SETS, "", file);

	if (text) {
		family(to, name, NULL, help);
		fprintf(to, "klp_sets_%s %s\n", name, text);
	}
	free(text);
}

static void write_core(FILE *to)
{
	const struct core *core = module_core();

	gauge(to, "engine_loaded", "Whether the module klp_sets is loaded.", core->version != NULL);
	if (!core->version)
		return;
	family(to, "engine_info", "gauge", "The version of klp_sets that is loaded, and the one that is installed.");
	fprintf(to, "klp_sets_engine_info{version=\"%s\",installed=\"%s\"} 1\n",
		quoted(core->version), quoted(core->installed));
	gauge(to, "engine_old", "Whether the klp_sets that is installed is another one than is loaded.",
	      core->other_build);
	gauge(to, "engine_dead", "Whether ftrace has stopped, and klp_sets with it.", core->dead);
	counter(to, "anomalies_total", "anomalies", "How often the kernel did not do what klp_sets relies on, since it was loaded.");
	counter(to, "transitions_total", "transitions", "Transitions that were completed since klp_sets was loaded.");
	counter(to, "refusals_total", "refusals", "Livepatches that were refused since klp_sets was loaded.");
}

/* --- what is loaded ----------------------------------------------------------------- */

static const char *kind(const struct livepatch *lp)
{
	if (!lp->managed)
		return "stock";
	return lp->native ? "native" : "adopted";
}

static size_t count_sets(const struct machine *m)
{
	size_t n = 0;

	/* They are in the order of their sets. */
	for (size_t i = 0; i < m->nr_patches && m->patches[i]->managed; i++)
		n += !i || m->patches[i]->replace_set != m->patches[i - 1]->replace_set;
	return n;
}

static void write_functions(FILE *to, const struct machine *m)
{
	struct effects *e = effects_read(m);

	family(to, "functions", "gauge", "Functions that a livepatch changes.");
	for (size_t i = 0; i < m->nr_patches; i++)
		fprintf(to, "klp_sets_functions%s %zu\n", patch_labels(m->patches[i], ""),
			m->patches[i]->nr_funcs);
	/* Those of a patch follow each other. */
	family(to, "functions_by_effect", "gauge", "The same by whether ftrace redirects them; not of a livepatch in transition.");
	for (size_t first = 0, end; first < e->nr_findings; first = end) {
		size_t counts[UNKNOWN + 1] = { };

		for (end = first; end < e->nr_findings && e->findings[end].lp == e->findings[first].lp; end++)
			counts[e->findings[end].effect]++;
		for (int effect = IN_EFFECT; effect <= UNKNOWN; effect++) {
			char *more = xasprintf(",effect=\"%s\"", effect_names[effect]);

			fprintf(to, "klp_sets_functions_by_effect%s %zu\n",
				patch_labels(e->findings[first].lp, more), counts[effect]);
		}
	}
}

static void write_transition(FILE *to, const struct machine *m)
{
	const struct livepatch *lp = machine_in_transition(m);
	struct progress *progress;
	double age;

	gauge(to, "transition_in_progress", "Whether a livepatch is being enabled or disabled.",
	      lp != NULL);
	if (!lp)
		return;
	age = transition_age(lp);
	if (age >= 0) {
		family(to, "transition_start_time_seconds", "gauge", "When the transition was started or last reversed.");
		fprintf(to, "klp_sets_transition_start_time_seconds%s %.15g\n",
			patch_labels(lp, lp->enabled ? ",to=\"enabled\"" : ",to=\"disabled\""),
			(double)time(NULL) - (long)age);
	}
	progress = progress_read(lp, false);
	if (!progress->unreadable)
		gauge(to, "transition_waiting_tasks", "Tasks that are not switched yet.",
		      progress->nr_waiting);
	progress_free(progress);
}

static void write_machine(FILE *to, const struct machine *m)
{
	gauge(to, "sets", "Sets that have a livepatch.", count_sets(m));
	family(to, "patch_info", "gauge", "A livepatch that is enabled, or in transition.");
	for (size_t i = 0; i < m->nr_patches; i++) {
		const struct livepatch *lp = m->patches[i];
		char *more = xasprintf(",set_name=\"%s\",version=\"%s\",kind=\"%s\"",
				       quoted(lp->managed ? set_name(lp->replace_set) : NULL),
				       quoted(lp->version), kind(lp));

		fprintf(to, "klp_sets_patch_info%s 1\n", patch_labels(lp, more));
	}
	write_functions(to, m);
	write_transition(to, m);
}

/* --- what is stored ----------------------------------------------------------------- */

static void write_store(FILE *to, const struct machine *m)
{
	size_t nr_lost, n, wrong = 0, held = 0, other = 0;
	struct store *s = store_read();
	struct lost *lost = lost_all(m, &nr_lost);
	struct kept *all = kept_all(s, m, lost, nr_lost, &n);

	family(to, "stored_info", "gauge", "A livepatch in the store, and what has become of it.");
	for (size_t i = 0; i < n; i++) {
		const struct slot *slot = all[i].slot;
		char *more = xasprintf(",set_name=\"%s\",state=\"%s\"",
				       quoted(slot->has_set ? set_name(slot->replace_set) : NULL),
				       kept_names[all[i].state]);

		fprintf(to, "klp_sets_stored_info%s 1\n",
			labels(slot->versions[0].name, slot->has_set, slot->replace_set, more));
		wrong += all[i].why != NULL;
		held += all[i].state == KEPT_HELD;
		other += all[i].state == KEPT_OTHER_BUILD;
	}
	gauge(to, "stored", "Livepatches in the store of this kernel.", n);
	gauge(to, "stored_not_in_effect", "Those of them that should be in effect, and are not.", wrong);
	gauge(to, "stored_held", "Those of them that boot does not load, since the machine died.", held);
	gauge(to, "stored_other_build", "Those of them that were stored for another build of this kernel.", other);
	gauge(to, "store_damaged", "Whether a part of the store could not be read.", s->damaged);
	gauge(to, "sets_lost", "Sets whose livepatch one of another set has replaced.", nr_lost);
}

static char *all_metrics(void)
{
	struct machine *m = machine_read();
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		die("out of memory");
	gauge(to, "livepatching", "Whether this kernel has livepatching.", m->livepatching);
	if (m->livepatching) {
		write_core(to);
		write_machine(to, m);
	}
	if (m->livepatching && is_this_machine())
		write_store(to, m);
	fputs("# EOF\n", to);
	if (fclose(to))
		die("out of memory");
	return text;
}

static int cmd_metrics(int argc, char **argv)
{
	const char *output = NULL;
	const struct opt opts[] = {
		{ "output", 0, TAKES_FILE, &output, "write them to this file, all or nothing" },
		{ 0 }
	};
	char *text;

	parse_options(&verb_metrics, argc, argv, opts, 0, 0, NULL);
	text = all_metrics();
	if (!output)
		fputs(text, stdout);
	else if (replace_file(output, text))
		die("%s cannot be written: %s", output, file_strerror(errno));
	return EXIT_OK;
}

const struct verb verb_metrics = {
	.name = "metrics",
	.run = cmd_metrics,
	.arguments = "[--output FILE]",
	.help = "what is to be watched, for Prometheus",
};
