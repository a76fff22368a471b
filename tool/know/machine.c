// SPDX-License-Identifier: GPL-2.0
/*
 * machine.c - what is on this machine, read from sysfs
 *
 * Patches come and go while they are read. One that is only half there, because
 * it is being set up or taken down, is not in effect and left out.
 */
#include <errno.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "know/machine.h"
#include "keep/assignments.h"
#include "keep/policies.h"
#include "read/livepatch.h"
#include "read/names.h"
#include "read/setnames.h"
#include "read/sysfs.h"
#include "read/util.h"

struct machine *machine_empty(void)
{
	struct machine *m = xcalloc(1, sizeof(*m));

	m->policy.stock_replace = STOCK_ALL;
	m->policy.allow_replace_all = true;
	return m;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nr_patches; i++)
		livepatch_free(m->patches[i]);
	for (size_t i = 0; i < m->nr_assignments; i++) {
		free(m->assignments[i].name);
		free(m->assignments[i].obsoletes);
	}
	for (size_t i = 0; i < m->nr_leftovers; i++) {
		free(m->leftovers[i].name);
		free(m->leftovers[i].version);
	}
	free(m->patches);
	free(m->assignments);
	free(m->leftovers);
	free(m);
}

void machine_add(struct machine *m, struct livepatch *lp)
{
	m->patches = xrealloc(m->patches, m->nr_patches + 1, sizeof(*m->patches));
	m->patches[m->nr_patches++] = lp;
}

struct livepatch *machine_find(const struct machine *m, const char *name)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (!strcmp(m->patches[i]->name, name))
			return m->patches[i];
	}
	return NULL;
}

bool is_enabled(const char *name)
{
	struct machine *m = machine_read();
	const struct livepatch *lp = machine_find(m, name);
	bool enabled = lp && lp->enabled;

	machine_free(m);
	return enabled;
}

bool machine_has_leftover(const struct machine *m, const char *name)
{
	for (size_t i = 0; i < m->nr_leftovers; i++) {
		if (!strcmp(m->leftovers[i].name, name))
			return true;
	}
	return false;
}

const struct assignment *machine_find_assignment(const struct machine *m, const char *name)
{
	return assignment_for(m->assignments, m->nr_assignments, name);
}

/* During a replace two patches have the set: the one that is replaced still counts. */
struct livepatch *machine_find_set(const struct machine *m, uint32_t set)
{
	struct livepatch *found = NULL;

	for (size_t i = 0; i < m->nr_patches; i++) {
		struct livepatch *lp = m->patches[i];

		if (lp->managed && lp->replace_set == set && (!found || !lp->transition))
			found = lp;
	}
	return found;
}

struct livepatch *machine_in_transition(const struct machine *m)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (m->patches[i]->transition)
			return m->patches[i];
	}
	return NULL;
}

void machine_need_livepatching(const struct machine *m)
{
	if (m->livepatching)
		return;
	if (access("/sys/kernel", F_OK))
		die("sysfs is not mounted at /sys; nothing can be said about livepatches");
	die("this kernel has no livepatching; it was built without CONFIG_LIVEPATCH");
}

struct livepatch *machine_find_arg(const struct machine *m, const char *arg)
{
	struct livepatch *lp;
	uint32_t set;
	char *name;

	if (find_set(arg, &set)) {
		lp = machine_find_set(m, set);
		if (!lp)
			die("set %s has no livepatch on this machine; 'klp-sets list' shows all%s",
			    set_label(set), bare_number_hint(arg));
		return lp;
	}
	name = need_module_name(arg);
	lp = machine_find(m, name);
	if (lp) {
		free(name);
		return lp;
	}
	for (size_t i = 0; i < m->nr_leftovers; i++) {
		if (!strcmp(m->leftovers[i].name, name))
			die("livepatch '%s' is not enabled any more; only its module is left%s",
			    name, m->leftovers[i].refcnt ? "" :
			    ", which 'klp-sets unload' removes");
	}
	die("there is no livepatch '%s' on this machine; 'klp-sets list' shows all", name);
}

/* --- reading ---------------------------------------------------------------- */

/* Sets in decimal, separated by spaces. */
static size_t parse_sets(char *list, uint32_t **sets)
{
	char *word, *rest;
	size_t n = 0;

	*sets = NULL;
	for (word = strtok_r(list, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		*sets = xrealloc(*sets, n + 1, sizeof(**sets));
		if (parse_set(word, &(*sets)[n]))
			n++;
	}
	return n;
}

static void add_func(const char *object, const char *name, void *lp)
{
	const char *comma = strrchr(name, ',');
	char *func;

	if (!comma)
		return;
	func = xstrdup(name);
	func[comma - name] = '\0';
	object = strrchr(object, '/') + 1;
	livepatch_add_func(lp, object, func, strtoul(comma + 1, NULL, 10));
	free(func);
}

static void add_object(const char *patch, const char *name, void *lp)
{
	char *path = xasprintf("%s/%s", patch, name);

	sysfs_each(path, lp, add_func);
	free(path);
}

/* The kernel's functions first. The order of sysfs is none that means anything. */
static int compare_funcs(const void *a, const void *b)
{
	const struct func *x = a, *y = b;
	int ret = strcmp(x->object, y->object);

	if (ret && !strcmp(x->object, "vmlinux"))
		return -1;
	if (ret && !strcmp(y->object, "vmlinux"))
		return 1;
	if (!ret)
		ret = strcmp(x->name, y->name);
	return ret ? ret : (x->sympos > y->sympos) - (x->sympos < y->sympos);
}

/* "ID NAME PATCH block_disable": the name may be anything that an author thought of. */
static void add_state(struct livepatch *lp, char *line)
{
	char *name = strchr(line, ' '), *block = strrchr(line, ' '), *owner;
	struct state *state;

	if (!name || block == name)
		return;
	*block++ = '\0';
	owner = strrchr(line, ' ');
	if (owner == name || strcmp(owner + 1, lp->name))
		return;
	*owner = '\0';
	*name++ = '\0';
	state = livepatch_add_state(lp, strtoul(line, NULL, 10));
	state->managed = true;
	state->name = strcmp(name, "-") ? xstrdup(name) : NULL;
	state->block_disable = !strcmp(block, "block_disable");
}

static void read_states(struct livepatch *lp)
{
	char *path, *states, *line, *rest;

	path = xasprintf(SYS_KLP_SETS "/sets/%u/states", lp->replace_set);
	states = read_file(path);
	free(path);
	if (!states)
		return;
	for (line = strtok_r(states, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		add_state(lp, line);
	free(states);
}

static void read_set(struct livepatch *lp)
{
	char *text = sysfs_read(SYS_LIVEPATCH, lp->name, "replace_set");

	lp->has_set = text && parse_set(text, &lp->replace_set);
	lp->managed = lp->has_set;
	free(text);
	if (!lp->managed)
		return;

	text = sysfs_read(SYS_LIVEPATCH, lp->name, "obsoletes");
	if (text)
		lp->nr_obsoletes = parse_sets(text, &lp->obsoletes);
	free(text);

	text = xasprintf(SYS_MODULE "/klp_sets/holders/%s", lp->name);
	lp->native = !access(text, F_OK);
	free(text);
	read_states(lp);
}

/* Whether it is there: a patch is set up before it is enabled, and taken down after. */
static bool read_condition(struct livepatch *lp)
{
	int enabled, transition, again;

	again = sysfs_flag(SYS_LIVEPATCH, lp->name, "enabled");
	do {
		enabled = again;
		transition = sysfs_flag(SYS_LIVEPATCH, lp->name, "transition");
		again = sysfs_flag(SYS_LIVEPATCH, lp->name, "enabled");
	} while (again != enabled);
	lp->enabled = enabled > 0;
	lp->transition = transition > 0;
	return lp->enabled || lp->transition;
}

static void read_patch(const char *folder, const char *name, void *machine)
{
	struct livepatch *lp = livepatch_new(name);
	char *path;

	if (!read_condition(lp)) {
		livepatch_free(lp);
		return;
	}
	path = xasprintf("%s/%s", folder, name);
	sysfs_each(path, lp, add_object);
	free(path);
	if (lp->nr_funcs)
		qsort(lp->funcs, lp->nr_funcs, sizeof(*lp->funcs), compare_funcs);
	read_set(lp);
	lp->replace = sysfs_flag(SYS_LIVEPATCH, name, "replace") > 0;
	lp->version = sysfs_read(SYS_MODULE, name, "version");
	/* Once more: its files may have gone while they were read. */
	if (read_condition(lp))
		machine_add(machine, lp);
	else
		livepatch_free(lp);
}

static void read_policy(struct policy *policy)
{
	char *stock = sysfs_read(SYS_MODULE, "klp_sets/parameters", "stock_replace");
	int value;

	if (stock && !strcmp(stock, "scoped"))
		policy->stock_replace = STOCK_SCOPED;
	else if (stock && !strcmp(stock, "refuse"))
		policy->stock_replace = STOCK_REFUSE;
	free(stock);
	policy->set0_replaces_all =
		sysfs_flag(SYS_MODULE, "klp_sets/parameters", "set0_replaces_all") > 0;
	value = sysfs_flag(SYS_MODULE, "klp_sets/parameters", "allow_replace_all");
	policy->allow_replace_all = value != 0;
	policy->taint = sysfs_flag(SYS_MODULE, "klp_sets/parameters", "taint") > 0;
}

static void add_assignment(struct machine *m, const char *line)
{
	m->assignments = xrealloc(m->assignments, m->nr_assignments + 1, sizeof(*m->assignments));
	if (assignment_parse(line, &m->assignments[m->nr_assignments]))
		m->nr_assignments++;
}

/* Only root may see them. */
static void read_assignments(struct machine *m)
{
	char *text = read_file(SYS_KLP_SETS "/assign"), *line, *rest;

	m->assignments_hidden = !text && errno != ENOENT;
	if (!text)
		return;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		add_assignment(m, line);
	free(text);
}

static void add_leftover(struct machine *m, const char *name)
{
	char *refcnt = sysfs_read(SYS_MODULE, name, "refcnt");
	struct leftover *leftover;

	if (!refcnt)
		return;
	m->leftovers = xrealloc(m->leftovers, m->nr_leftovers + 1, sizeof(*m->leftovers));
	leftover = &m->leftovers[m->nr_leftovers++];
	leftover->name = xstrdup(name);
	leftover->version = sysfs_read(SYS_MODULE, name, "version");
	leftover->refcnt = strtol(refcnt, NULL, 10);
	free(refcnt);
}

/* Lines as in /proc/modules: "NAME SIZE REFCNT USERS STATE ADDRESS (TAINTS)". */
static void find_leftovers(struct machine *m, char *modules)
{
	char name[256], state[16], taints[32], *line, *rest;

	for (line = strtok_r(modules, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%255s %*s %*s %*s %15s %*s %31s", name, state, taints) != 3)
			continue;
		if (strchr(taints, 'K') && !strcmp(state, "Live") && !machine_find(m, name))
			add_leftover(m, name);
	}
}

/* Sets in their order, then stock patches. Of two in a set, the older one first. */
static int compare_patches(const void *a, const void *b)
{
	const struct livepatch *x = *(struct livepatch **)a, *y = *(struct livepatch **)b;

	if (x->managed != y->managed)
		return x->managed ? -1 : 1;
	if (x->managed && x->replace_set != y->replace_set)
		return x->replace_set < y->replace_set ? -1 : 1;
	if (x->transition != y->transition)
		return x->transition ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int compare_leftovers(const void *a, const void *b)
{
	const struct leftover *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct machine *machine_read(void)
{
	struct machine *m = machine_empty();
	char *modules;

	m->livepatching = !access(SYS_LIVEPATCH, F_OK);
	m->core = !access(SYS_KLP_SETS, F_OK);
	if (m->core) {
		read_policy(&m->policy);
		read_assignments(m);
	}
	/* Before the patches: what is live and not among those later was one earlier. */
	modules = read_file("/proc/modules");
	sysfs_each(SYS_LIVEPATCH, m, read_patch);
	if (m->nr_patches)
		qsort(m->patches, m->nr_patches, sizeof(*m->patches), compare_patches);
	if (modules)
		find_leftovers(m, modules);
	if (m->nr_leftovers)
		qsort(m->leftovers, m->nr_leftovers, sizeof(*m->leftovers), compare_leftovers);
	free(modules);
	return m;
}
