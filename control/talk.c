#include "control/talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/strbuf.h"

#define CONTROL_PORT 8953
#define LINE_MAX_OCTETS (1u << 20)

bool talk_takes_lines(const char *verb)
{
	static const char *const verbs[] = { "local_zones", "local_zones_remove", "local_datas", "local_datas_remove", "view_local_datas",
		"view_local_datas_remove", "load_cache" };

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verb, verbs[i]) == 0)
			return true;
	}
	return false;
}

static int reach_path(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof to.sun_path) {
		fprintf(stderr, "cairnctl: %s: a socket's path has at most %zu octets\n", path, sizeof to.sun_path - 1);
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	fprintf(stderr, "cairnctl: %s: %s (does the daemon run, with its control socket configured?)\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int reach_address(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct endpoint e;
	int fd, r;

	if (!OK(endpoint_parse(text, CONTROL_PORT, &e))) {
		fprintf(stderr, "cairnctl: %s: expected the path of a socket, or ADDRESS[@PORT]\n", text);
		return -1;
	}
	fd = socket(e.a.family == ADDR_V4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fprintf(stderr, "cairnctl: %s: %s\n", text, strerror(errno));
		return -1;
	}
	if (e.a.family == ADDR_V4) {
		memcpy(&v4.sin_addr, e.a.b, 4);
		v4.sin_port = htons(e.port);
		r = connect(fd, (const struct sockaddr *)&v4, sizeof v4);
	} else {
		memcpy(&v6.sin6_addr, e.a.b, 16);
		v6.sin6_port = htons(e.port);
		v6.sin6_scope_id = e.scope;
		r = connect(fd, (const struct sockaddr *)&v6, sizeof v6);
	}
	if (r == 0)
		return fd;
	fprintf(stderr, "cairnctl: %s: %s\n", text, strerror(errno));
	close(fd);
	return -1;
}

static bool send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool send_command(const struct talk *t, int fd)
{
	AUTO(strbuf_free) struct strbuf *line = strbuf_new(LINE_MAX_OCTETS);

	if (line == NULL)
		return false;
	strbuf_puts(line, "UBCT1");
	if (t->json)
		strbuf_puts(line, " --json");
	for (int i = 0; i < t->words; i++)
		strbuf_printf(line, " %s", t->word[i]);
	strbuf_putc(line, '\n');
	return strbuf_ok(line) && send_all(fd, strbuf_text(line), strbuf_len(line));
}

static bool send_lines(const struct talk *t, int fd)
{
	char line[65536], last = '\n';

	while (fgets(line, sizeof line, t->in) != NULL) {
		size_t n = strlen(line);

		if (!send_all(fd, line, n))
			return false;
		last = n > 0 ? line[n - 1] : last;
		if (strcmp(line, "EOF\n") == 0 && strcmp(t->word[0], "load_cache") == 0)
			return true; /* the dump's end is the daemon's as well */
	}
	/* The end mark stands on a line of its own, also when the last line was cut short. */
	return (last == '\n' || send_all(fd, "\n", 1)) && send_all(fd, "\004\n", 2);
}

/* Copies the reply; tells whether it began with "error". */
static bool copy_reply(const struct talk *t, int fd, bool *ret_error)
{
	static const char text[] = "error", json[] = "{\"error\":";
	char buf[65536], head[sizeof json] = "";
	size_t seen = 0;

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof buf, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n && seen < sizeof json - 1; i++)
			head[seen++] = buf[i];
		if (fwrite(buf, 1, (size_t)n, t->out) != (size_t)n)
			return false;
	}
	*ret_error = memcmp(head, text, sizeof text - 1) == 0 || memcmp(head, json, sizeof json - 1) == 0;
	return fflush(t->out) == 0;
}

int talk_run(const struct talk *t)
{
	struct timeval wait = { .tv_sec = t->timeout_sec };
	bool error = false, good;
	int fd;

	for (int i = 0; i < t->words; i++) {
		if (strpbrk(t->word[i], "\r\n") != NULL) {
			fprintf(stderr, "cairnctl: a word with a line break cannot be sent\n");
			return 2;
		}
	}
	fd = t->server[0] == '/' || strchr(t->server, '/') != NULL ? reach_path(t->server) : reach_address(t->server);
	if (fd < 0)
		return 2;
	if (t->timeout_sec != 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	}
	good = send_command(t, fd) && (!talk_takes_lines(t->word[0]) || send_lines(t, fd)) && copy_reply(t, fd, &error);
	if (!good)
		fprintf(stderr, "cairnctl: %s: %s\n", t->server, strerror(errno));
	close(fd);
	return good ? error : 2;
}
