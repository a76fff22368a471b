/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - tracepoints in the life of a patch
 *
 * Documentation/observing.md has an example for each. Some are reached from
 * hooks, so nothing here may sleep or allocate.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM klp_sets

#if !defined(_KLP_SETS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KLP_SETS_TRACE_H

#include <linux/tracepoint.h>

#include "core.h"

/*
 * What an event looks like is told to programs as it stands here: a length must be a
 * number, and quotes end the format. So this is MODULE_NAME_LEN, which is an expression.
 */
#define KLP_SETS_TRACE_NAME_LEN 56
static_assert(KLP_SETS_TRACE_NAME_LEN == MODULE_NAME_LEN);

DECLARE_EVENT_CLASS(klp_sets_counts,
	TP_PROTO(const struct klp_sets_record *rec),
	TP_ARGS(rec),
	TP_STRUCT__entry(
		__array(char, patch, KLP_SETS_TRACE_NAME_LEN)
		__field(s64, set)
		__field(unsigned int, funcs)
		__field(unsigned int, nops)
		__field(unsigned int, replaced)
	),
	TP_fast_assign(
		struct klp_sets_counts counts;

		klp_sets_count(rec, &counts);
		strscpy(__entry->patch, rec->patch->mod->name, sizeof(__entry->patch));
		__entry->set = klp_sets_set_of(rec);
		__entry->funcs = counts.funcs;
		__entry->nops = counts.nops;
		__entry->replaced = counts.replaced;
	),
	TP_printk("patch=%s set=%lld funcs=%u nops=%u replaced=%u",
		  __entry->patch, __entry->set, __entry->funcs, __entry->nops,
		  __entry->replaced)
);

/* The patch passed all checks that can be made before addresses are known. */
DEFINE_EVENT(klp_sets_counts, klp_sets_admit,
	TP_PROTO(const struct klp_sets_record *rec),
	TP_ARGS(rec)
);

/* Its scope takes effect; the transition starts next. */
DEFINE_EVENT(klp_sets_counts, klp_sets_commit,
	TP_PROTO(const struct klp_sets_record *rec),
	TP_ARGS(rec)
);

TRACE_EVENT(klp_sets_refuse,
	TP_PROTO(const struct klp_patch *patch, const struct klp_sets_record *rec,
		 struct va_format *reason),
	TP_ARGS(patch, rec, reason),
	TP_STRUCT__entry(
		__array(char, patch, KLP_SETS_TRACE_NAME_LEN)
		__field(s64, set)
		__array(char, reason, 256)
	),
	TP_fast_assign(
		va_list args;

		strscpy(__entry->patch, patch->mod->name, sizeof(__entry->patch));
		__entry->set = klp_sets_set_of(rec);
		va_copy(args, *reason->va);
		vsnprintf(__entry->reason, sizeof(__entry->reason), reason->fmt, args);
		va_end(args);
	),
	TP_printk("patch=%s set=%lld reason=%s",
		  __entry->patch, __entry->set, __entry->reason)
);

/* A transition is complete: to the patch, or away from it. */
TRACE_EVENT(klp_sets_complete,
	TP_PROTO(const struct klp_sets_record *rec, bool enabled),
	TP_ARGS(rec, enabled),
	TP_STRUCT__entry(
		__array(char, patch, KLP_SETS_TRACE_NAME_LEN)
		__field(s64, set)
		__field(bool, enabled)
		__field(bool, forced)
		__field(unsigned int, replaced)
	),
	TP_fast_assign(
		struct klp_sets_counts counts = {};

		/* Later, other patches may have the sets that it replaced once. */
		if (enabled && !rec->settled)
			klp_sets_count(rec, &counts);
		strscpy(__entry->patch, rec->patch->mod->name, sizeof(__entry->patch));
		__entry->set = klp_sets_set_of(rec);
		__entry->enabled = enabled;
		__entry->forced = klp_sets_was_forced();
		__entry->replaced = counts.replaced;
	),
	TP_printk("patch=%s set=%lld enabled=%d forced=%d replaced=%u",
		  __entry->patch, __entry->set, __entry->enabled, __entry->forced,
		  __entry->replaced)
);

/* The patch is gone. Its module may be removed now. */
TRACE_EVENT(klp_sets_release,
	TP_PROTO(const char *patch, s64 set),
	TP_ARGS(patch, set),
	TP_STRUCT__entry(
		__array(char, patch, KLP_SETS_TRACE_NAME_LEN)
		__field(s64, set)
	),
	TP_fast_assign(
		strscpy(__entry->patch, patch, sizeof(__entry->patch));
		__entry->set = set;
	),
	TP_printk("patch=%s set=%lld", __entry->patch, __entry->set)
);

#endif /* _KLP_SETS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
