/* places.c: a conversation with llvm-symbolizer: a line asks, and lines up to an empty one answer, a function and a place for the frame and each that is inlined there. */
#include "tests/failing/places.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE 4096

static FILE *answers;
static int ask = -1;
static char program[LINE], frame[LINE + 8]; /* frame: "(PROGRAM+0x", as a report has it */

static bool begin(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	int ends[2];
	pid_t child;

	if (ask >= 0 || n <= 0)
		return answers != NULL;
	(void)snprintf(frame, sizeof frame, "(%s+0x", program);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	child = fork();
	if (child == 0) {
		(void)unsetenv("LD_PRELOAD");
		(void)dup2(ends[1], STDIN_FILENO);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execlp("llvm-symbolizer-19", "llvm-symbolizer-19", (char *)NULL);
		(void)execlp("llvm-symbolizer", "llvm-symbolizer", (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	ask = ends[0];
	answers = child > 0 ? fdopen(ends[0], "r") : NULL;
	return answers != NULL;
}

/* Adds the lines for one frame, whose line begins with these octets. False: nobody answers. */
static bool name_frame(const char *head, size_t head_n, const char *offset, char *out, size_t room, size_t *at)
{
	char query[LINE + 40], name[LINE], place[LINE];
	int n = snprintf(query, sizeof query, "\"%s\" 0x%llx\n", program, strtoull(offset, NULL, 16));

	if (send(ask, query, (size_t)n, MSG_NOSIGNAL) != n)
		return false;
	for (bool first = true;; first = false) {
		if (fgets(name, sizeof name, answers) == NULL)
			return false;
		if (name[0] == '\n')
			return true;
		if (fgets(place, sizeof place, answers) == NULL)
			return false;
		name[strcspn(name, "\n")] = '\0';
		place[strcspn(place, "\n")] = '\0';
		if (*at < room)
			*at += (size_t)snprintf(out + *at, room - *at, "%.*s in %s %s\n", first ? (int)head_n : 6, first ? head : "    #+", name, place);
	}
}

void places_name(char *text, size_t room)
{
	static char out[400000];
	size_t at = 0, n;

	if (strstr(text, "+0x") == NULL || !begin())
		return;
	for (const char *line = text; *line != '\0' && at < sizeof out; line += n + (line[n] != '\0')) {
		const char *mine, *end;

		n = strcspn(line, "\n");
		mine = memmem(line, n, frame, strlen(frame));
		if (mine == NULL) {
			at += (size_t)snprintf(out + at, sizeof out - at, "%.*s\n", (int)n, line);
			continue;
		}
		for (end = mine; end > line && end[-1] == ' '; end--)
			continue;
		if (!name_frame(line, (size_t)(end - line), mine + strlen(frame), out, sizeof out, &at))
			return;
	}
	(void)snprintf(text, room, "%s", out);
}
