/*
 * sandbox.h: a process gives up what it does not need, for good: system calls (seccomp, where this build has libseccomp), files, TCP and signals (Landlock, where the kernel has it),
 * new privileges, core dumps, being looked into, and resources past a limit. Called once, when everything that takes more has been opened, and before there are threads.
 *
 * What a process may do is a set of groups; everything else fails as if this kernel did not have the call, or with EACCES where a caller copes with that. What nobody honest asks
 * for (running a program without SANDBOX_EXECUTE, ptrace, mounts, modules, BPF...) kills the process. What one has given up, what it starts has given up too.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/own.h"

/* Groups. What every process may do: compute, allocate, wait, use what is open, end. */
#define SANDBOX_READ 0x01u       /* open files for reading, look at folders */
#define SANDBOX_WRITE 0x02u      /* make, change, rename and delete them too */
#define SANDBOX_THREADS 0x04u
#define SANDBOX_CONNECT 0x08u    /* new sockets, to connect them */
#define SANDBOX_ACCEPT 0x10u     /* connections on listening sockets that are open already */
#define SANDBOX_FORK 0x20u       /* other processes, and signals to them */
#define SANDBOX_EXECUTE 0x40u    /* other programs */
#define SANDBOX_PRIVILEGES 0x80u /* for who starts the others: to become another user, to listen, to enter a sandbox of its own */

/* What may be done below a path, or with a file. */
struct sandbox_path {
	const char *path BORROWED_FIELD; /* one that does not exist is passed over */
	unsigned int groups;             /* of SANDBOX_READ, SANDBOX_WRITE (reading too), SANDBOX_EXECUTE (likewise) */
};

struct sandbox {
	unsigned int groups;
	bool any_path;     /* no Landlock: the processes that it starts have sandboxes of their own, which may be wider in this */
	const struct sandbox_path *paths BORROWED_FIELD;
	size_t npaths;
	uint64_t files;       /* that may be open; 0: as it is */
	uint64_t file_octets; /* of a file that is written; 0: any */
};

struct sandbox_held {
	bool calls;  /* system calls are filtered */
	int paths;   /* version of Landlock that holds; 0: none */
};

/* ERR_SYSTEM (see errno), ERR_NOMEM: the process is in no known state and should end. Parts that kernel or build do not have are no error: see *ret. */
RESULT sandbox_enter(const struct sandbox *s, struct sandbox_held *ret) NONNULL;
bool sandbox_has_calls(void); /* this build has libseccomp */
int sandbox_landlock(void);   /* the kernel's version of Landlock; 0: it has none */

#endif
