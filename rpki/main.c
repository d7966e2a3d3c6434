/* main.c: cairn-rpki's command line. */
#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/sandbox.h"
#include "config.h"
#include "rpki/commands/commands.h"
#include "rpki/daemon.h"

static const char usage[] =
    "usage: cairn-rpki -c FILE [-d] [--once] [--at TIME] [--offline] [-v...] [--version]\n"
    "  -c FILE      configuration (default: " SYSCONFDIR "/cairn/cairn.conf); the clauses rpki: and rtr: are read\n"
    "  -d           stay in the foreground, log to standard error\n"
    "  --once       read, write the output files, and end\n"
    "  --at TIME    the time it shall be, in seconds since 1970 or as in 2026-01-31T12:00:00Z\n"
    "  --offline    fetch nothing\n"
    "  -v           log more; may be repeated\n"
    "  --version    tell version and parts, and end\n";

enum { ONCE = 256, AT, OFFLINE };

static void print_usage(FILE *out)
{
	(void)fputs(usage, out);
	(void)fputs(commands_usage(), out);
}

static void print_version(void)
{
	int landlock = sandbox_landlock();

	(void)printf("cairn-rpki %s\n"
		     "with: RRDP over HTTPS and rsync, validation, RTR versions 0, 1 and 2 over TCP, TLS, TCP-MD5, TCP-AO and Unix sockets, HTTP, local exceptions (SLURM versions 1 and 2), output "
		     "files\n"
		     "sandbox: system calls %s; paths and TCP %s",
		PACKAGE_VERSION, sandbox_has_calls() ? "(seccomp)" : "not filtered: this build has no libseccomp",
		landlock > 0 ? "(Landlock, version " : "not restricted: this kernel has no Landlock\n");
	if (landlock > 0)
		(void)printf("%d of this kernel)\n", landlock);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "once", no_argument, NULL, ONCE }, { "at", required_argument, NULL, AT },
		{ "offline", no_argument, NULL, OFFLINE }, { "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct rpki_options o = { .conf_path = SYSCONFDIR "/cairn/cairn.conf" };
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	int c;

	if (command != NULL)
		return command->run(argc - 1, argv + 1);
	while ((c = getopt_long(argc, argv, "c:dvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o.conf_path = optarg;
			break;
		case 'd':
			o.foreground = true;
			break;
		case 'v':
			o.verbosity++;
			break;
		case ONCE:
			o.once = o.foreground = true;
			break;
		case AT:
			o.at_given = OK(clock_parse(optarg, &o.at_sec));
			if (!o.at_given) {
				(void)fprintf(stderr, "cairn-rpki: --at %s: expected seconds, or 2026-01-31T12:00:00Z\n", optarg);
				return 2;
			}
			break;
		case OFFLINE:
			o.offline = true;
			break;
		case 'V':
			print_version();
			return 0;
		case 'h':
			print_usage(stdout);
			return 0;
		default:
			print_usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		(void)fprintf(stderr, "cairn-rpki: unexpected argument: %s\n", argv[optind]);
		print_usage(stderr);
		return 2;
	}
	return rpki_daemon_run(&o);
}
