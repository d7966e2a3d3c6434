/* main.c: cairnctl, the operator's tool. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "control/talk.h"

static const char usage[] =
    "cairnctl [-c FILE] [-s SOCKET] [-t SECONDS] [--rpki] [--json] VERB [ARGUMENT ...]\n"
    "  -c FILE     configuration that names the control socket (default " SYSCONFDIR "/cairn/cairn.conf)\n"
    "  -s SOCKET   path of the control socket, or ADDRESS[@PORT]\n"
    "  -t SECONDS  how long to wait for an answer (default 60, 0: for ever)\n"
    "  --rpki      ask cairn-rpki, not cairnd\n"
    "  --json      the answer as JSON\n"
    "Verbs of cairnd:\n"
    "  status                        is it alive, since when, with what\n"
    "  stats | stats_noreset         counters; stats sets them to zero\n"
    "  metrics                       the same and more, for Prometheus\n"
    "  reload | reload_keep_cache    read the configuration again; the caches stay\n"
    "  stop                          end\n"
    "  verbosity N                   log more or less\n"
    "  log_reopen                    open the log file anew\n"
    "  lookup NAME                   servers that would be asked for NAME\n"
    "  cache_lookup NAME             what the caches have at and below NAME\n"
    "  explain NAME [TYPE]           why it is secure, insecure or bogus: the chain of trust as a tree, and what to mend\n"
    "  route [ADDRESS|PREFIX|NAME]   what is known of the routes to it, and where that comes from\n"
    "  exposure [ZONE|--cache]       which zones hang on unsigned, uncovered servers, on one prefix, on one AS\n"
    "  dump_cache | load_cache       the RRset cache as text; load reads it from standard input\n"
    "  flush NAME | flush_type NAME TYPE | flush_zone NAME | flush_bogus | flush_negative\n"
    "  flush_infra all|ADDRESS | dump_infra\n"
    "  flush_requestlist | dump_requestlist\n"
    "  get_option NAME | set_option NAME: VALUE\n"
    "  list_forwards | list_stubs | list_local_zones | list_local_data\n"
    "  forward_add [+i] ZONE ADDRESS ... | forward_remove [+i] ZONE | forward [off | ADDRESS ...]\n"
    "  stub_add [+ip] ZONE ADDRESS ... | stub_remove [+i] ZONE\n"
    "  local_zone NAME TYPE | local_zone_remove NAME | local_data RR | local_data_remove NAME\n"
    "  local_zones | local_zones_remove | local_datas | local_datas_remove    the same, lines from standard input\n"
    "  nta add NAME [TIME] [force] | nta remove NAME | nta list    negative trust anchors\n"
    "  insecure_add NAME | insecure_remove NAME | list_insecure | list_anchors\n"
    "  ip_ratelimit_list [+a] | ratelimit_list [+a]\n"
    "Verbs of cairn-rpki:\n"
    "  status                        how the last run went: trust anchors, repositories, alarms\n"
    "  log                           what the log said of it\n"
    "  routers                       who is connected by RTR, and with which data\n"
    "  run                           begin a run now\n"
    "  reload | stop | verbosity N   as above\n"
    "Exit status: 0; 1 when the daemon says error; 2 when it cannot be reached.\n";

/* The first control socket that the configuration names. NULL: the configuration cannot be read, and why has been said. */
static char *socket_of(const char *path, bool rpki) OWNED_BY(mem_free);
static char *socket_of(const char *path, bool rpki)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1u << 20);
	AUTO(conf_free) struct conf *c = NULL;
	const enum conf_opt option = rpki ? OPT_RPKI_CONTROL_INTERFACE : OPT_REMOTE_CONTROL_CONTROL_INTERFACE;
	const struct conf_clause *clause;

	if (report == NULL)
		return NULL;
	if (!OK(conf_load(path, report, &c))) {
		fprintf(stderr, "%scairnctl: %s: cannot be used (-s SOCKET does without it)\n", strbuf_text(report), path == NULL ? "defaults" : path);
		return NULL;
	}
	clause = conf_single(c, rpki ? CLAUSE_RPKI : CLAUSE_REMOTE_CONTROL);
	if (conf_count(clause, option) == 0) {
		fprintf(stderr, "cairnctl: %s: names no control-interface in %s\n", path, rpki ? "rpki:" : "remote-control:");
		return NULL;
	}
	return mem_strdup(conf_item(clause, option, 0));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { "rpki", no_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 } };
	struct talk t = { .in = stdin, .out = stdout, .timeout_sec = 60 };
	const char *conf = SYSCONFDIR "/cairn/cairn.conf";
	AUTO_CHARS char *server = NULL;
	bool rpki = false;
	char *end;
	int o;

	while ((o = getopt_long(argc, argv, "+c:s:t:hV", longs, NULL)) != -1) {
		switch (o) {
		case 'c':
			conf = optarg;
			break;
		case 's':
			mem_free(MOVE(server));
			server = mem_strdup(optarg);
			break;
		case 't':
			t.timeout_sec = (unsigned int)strtoul(optarg, &end, 10);
			if (*end != '\0' || end == optarg) {
				fprintf(stderr, "cairnctl: -t %s: expected a number of seconds\n", optarg);
				return 2;
			}
			break;
		case 'j':
			t.json = true;
			break;
		case 'r':
			rpki = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			printf("cairnctl %s\n", PACKAGE_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (server == NULL)
		server = socket_of(conf, rpki);
	if (server == NULL)
		return 2;
	t.server = server;
	t.words = argc - optind;
	t.word = argv + optind;
	return talk_run(&t);
}
