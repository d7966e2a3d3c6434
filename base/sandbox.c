/* sandbox.c: order: limits, no new privileges, Landlock, and the filter of system calls last, which would refuse the others. */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox_inside.h"

/* Landlock's interface by its numbers: the C library has no functions for it, and a header that is older than the kernel lacks some. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SYM (UINT64_C(1) << 12)
#define FS_FIRST 13u /* rights that the first version has: bits 0 to 12 */
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
	uint64_t fs;
	uint64_t net;   /* since version 4 */
	uint64_t scope; /* since version 6 */
};
struct path_rule {
	uint64_t rights;
	int32_t folder;
} __attribute__((packed));

int sandbox_landlock(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);

	return v > 0 ? (int)v : 0;
}

/* All rights over files that this version knows: what no rule gives is refused. */
static uint64_t known_rights(int version)
{
	uint64_t all = (UINT64_C(1) << FS_FIRST) - 1;

	if (version >= 2)
		all |= FS_REFER;
	if (version >= 3)
		all |= FS_TRUNCATE;
	if (version >= 5)
		all |= FS_IOCTL_DEV;
	return all;
}

static uint64_t rights_of(unsigned int groups, bool folder)
{
	const uint64_t of_files = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE;
	uint64_t r = FS_READ_FILE | FS_READ_DIR;

	if ((groups & SANDBOX_EXECUTE) != 0)
		r |= FS_EXECUTE;
	if ((groups & SANDBOX_WRITE) != 0)
		r |= FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SYM | FS_REFER;
	return folder ? r : r & of_files;
}

static RESULT add_path(int rules, const struct sandbox_path *p, uint64_t known)
{
	struct path_rule rule = { .folder = open(p->path, O_PATH | O_CLOEXEC) };
	struct stat st;
	long e;

	if (rule.folder < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? DONE : FAIL(ERR_SYSTEM);
	if (fstat(rule.folder, &st) != 0) {
		(void)close(rule.folder);
		return FAIL(ERR_SYSTEM);
	}
	rule.rights = rights_of(p->groups, S_ISDIR(st.st_mode)) & known;
	e = syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0u);
	(void)close(rule.folder);
	return e == 0 ? DONE : FAIL(ERR_SYSTEM);
}

static int make_rules(const struct sandbox *s, int version)
{
	struct ruleset r = { .fs = known_rights(version) };
	size_t n = sizeof r.fs;

	if (version >= 4) {
		r.net = NET_BIND_TCP | ((s->groups & SANDBOX_CONNECT) == 0 ? NET_CONNECT_TCP : 0);
		n = offsetof(struct ruleset, scope);
	}
	if (version >= 6) {
		r.scope = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
		n = sizeof r;
	}
	return (int)syscall(SYS_landlock_create_ruleset, &r, n, 0u);
}

static RESULT restrict_paths(const struct sandbox *s, int version)
{
	int rules = make_rules(s, version);
	struct result r = DONE;

	if (rules < 0)
		return FAIL(ERR_SYSTEM);
	for (size_t i = 0; i < s->npaths && OK(r); i++)
		r = add_path(rules, &s->paths[i], known_rights(version));
	if (OK(r) && syscall(SYS_landlock_restrict_self, rules, 0u) != 0)
		r = FAIL(ERR_SYSTEM);
	(void)close(rules);
	return r;
}

/* Lowers both limits to n; never raises one. */
static RESULT lower(int what, uint64_t n)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)what, &l) != 0)
		return FAIL(ERR_SYSTEM);
	if (l.rlim_max <= n && l.rlim_cur <= n)
		return DONE;
	l.rlim_max = l.rlim_max < n ? l.rlim_max : (rlim_t)n;
	l.rlim_cur = l.rlim_cur < l.rlim_max ? l.rlim_cur : l.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &l) == 0 ? DONE : FAIL(ERR_SYSTEM);
}

static RESULT lower_limits(const struct sandbox *s)
{
	TRY(lower(RLIMIT_CORE, 0));
	if (s->files != 0)
		TRY(lower(RLIMIT_NOFILE, s->files));
	return s->file_octets != 0 ? lower(RLIMIT_FSIZE, s->file_octets) : DONE;
}

RESULT sandbox_enter(const struct sandbox *s, struct sandbox_held *ret)
{
	struct sandbox_held held = { .paths = s->any_path ? 0 : sandbox_landlock() };
	struct result r;

	TRY(lower_limits(s));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) != 0)
		return FAIL(ERR_SYSTEM);
	if (held.paths > 0)
		TRY(restrict_paths(s, held.paths));
	r = sandbox_restrict_calls(s->groups);
	held.calls = OK(r);
	if (!OK(r) && r.e != ERR_UNSUPPORTED)
		return r;
	*ret = held;
	return DONE;
}
