/* cairn-rpki status */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "rpki/commands/commands.h"
#include "rpki/serve/status_file.h"
#include "rpki/serve/status_words.h"

static int show(const struct conf *c, bool json)
{
	const char *dir = conf_text(conf_single(c, CLAUSE_RPKI), OPT_RPKI_CACHE_DIR);
	AUTO_CHARS char *path = mem_printf("%s/" STATUS_FILE_NAME, dir != NULL ? dir : "");
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(COMMAND_TEXT_MAX);
	AUTO(status_free) struct status *s = NULL;
	int64_t now = clock_read().wall_sec, most = conf_int(conf_single(c, CLAUSE_RTR), OPT_RTR_EXPIRE);
	struct result r;

	if (path == NULL || out == NULL)
		return command_fail("status", "%s", err_text(ERR_NOMEM));
	r = status_file_read(path, &s);
	if (r.e == ERR_NOTFOUND)
		return command_fail("status", "%s: there is no such file: no daemon with this configuration has finished a run", path);
	if (!OK(r))
		return command_fail("status", "%s: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_FORMAT ? "damaged, or of another version" : err_text(r.e));
	if (json)
		status_words_json(s, now, out);
	else
		status_words(s, now, out);
	if (!command_print(out) || fflush(stdout) != 0)
		return command_fail("status", "the output cannot be written");
	return status_age(s, now) >= 0 && status_age(s, now) <= most ? 0 : 1;
}

int command_status(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	const char *path = command_conf_path();
	AUTO(conf_free) struct conf *conf = NULL;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:jh", longs, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'j')
			json = true;
		else
			return command_usage("status");
	}
	if (optind != argc)
		return command_usage("status");
	return OK(command_conf("status", path, &conf)) ? show(conf, json) : COMMAND_ERROR;
}
