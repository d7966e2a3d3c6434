/* main.c: cairnd's command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/check.h"
#include "config.h"
#include "resolver/control/control.h"
#include "resolver/daemon.h"
#include "resolver/dnstap/hub.h"

static const char usage[] =
    "usage: cairnd [-d] [-c FILE] [-p] [-v...] [--check-config [FILE]] [--version]\n"
    "  -d                     stay in the foreground, log to standard error\n"
    "  -c FILE                configuration (default: " SYSCONFDIR "/cairn/cairn.conf, or built in when there is none:\n"
    "                         127.0.0.1 and ::1, port 5335, not as root)\n"
    "  -p                     write no pid file\n"
    "  -v                     log more; may be repeated\n"
    "  --check-config [FILE]  read the configuration, name what is wrong in it, and end\n"
    "  --version              tell version and parts, and end\n";

enum { CHECK = 256, HELP };

static void print_version(void)
{
	(void)printf(
	    "cairnd %s\n"
	    "with: libevent loop, UDP in batches, TCP, DNSSEC validation, DNS cookies, extended DNS errors, cache snapshots\n"
	    "without: DNS over TLS and HTTPS, RPZ, auth-zone (not in this version)\n",
	    PACKAGE_VERSION);
	(void)puts(tap_hub_by() != NULL ? "dnstap: sent by libfstrm" : "dnstap: left out of this build");
}

static const char *usual_conf(void) BORROWED;
static const char *usual_conf(void)
{
	return access(SYSCONFDIR "/cairn/cairn.conf", F_OK) == 0 ? SYSCONFDIR "/cairn/cairn.conf" : NULL;
}

/* What only the parts of the resolver can tell: records, zones, addresses that do not fit together. */
static void check_plan(struct conf *c, struct strbuf *report) TAKES(1);
static void check_plan(struct conf *c, struct strbuf *report)
{
	AUTO(rng_free) struct rng *rng = rng_new();
	AUTO(plan_unref) struct plan *p = NULL;
	struct result r = FAIL(ERR_NOMEM);

	if (rng != NULL)
		r = plan_make(MOVE(c), NULL, rng, report, &p);
	else
		conf_free(MOVE(c));
	if (!OK(r) && r.e != ERR_FORMAT)
		strbuf_printf(report, "cairnd: error: %s\n", err_text(r.e));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "check-config", optional_argument, NULL, CHECK },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, HELP }, { NULL, 0, NULL, 0 } };
	struct daemon_options o = { .control_open = control_open, .control_close = control_close };
	const char *checked = NULL;
	bool check = false;
	int c;

	while ((c = getopt_long(argc, argv, "dc:pvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			o.foreground = true;
			break;
		case 'c':
			o.conf_path = optarg;
			break;
		case 'p':
			o.no_pid_file = true;
			break;
		case 'v':
			o.verbosity++;
			break;
		case 'V':
			print_version();
			return 0;
		case 'h':
		case HELP:
			(void)fputs(usage, stdout);
			return 0;
		case CHECK:
			check = true;
			checked = optarg;
			break;
		default:
			(void)fputs(usage, stderr);
			return 2;
		}
	}
	if (check && checked == NULL && optind == argc - 1)
		checked = argv[optind++];
	if (optind != argc) {
		(void)fprintf(stderr, "cairnd: unexpected argument: %s\n%s", argv[optind], usage);
		return 2;
	}
	if (check)
		return conf_check_main(checked != NULL ? checked : o.conf_path != NULL ? o.conf_path : usual_conf(), check_plan);
	return daemon_run(&o);
}
