/*
 * scene_daemon.c: a whole daemon, from its start to its end, in the process of the run. A thread beside it is its operator, its clients and its upstream servers: it asks by UDP and by TCP, for local
 * data and for what two forwarders know (one is asked by UDP, the other by TCP), asks the control socket for the state and to read the configuration again, and ends it.
 *
 * Either the daemon says why it cannot start, and is gone without a trace; or it serves: a question that is asked again gets its answer, whatever failed, and the end is clean.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "resolver/control/control.h"
#include "resolver/daemon.h"
#include "tests/failing/scenes.h"

#define PORT 5300
#define UPSTREAM_PORT 5301
#define TRIES 40u          /* of one question, each for TRY_MS */
#define TRY_MS 250
#define PATIENCE_MS 15000  /* until the daemon answers at all */

static struct {
	struct place *p BORROWED_FIELD;
	pthread_t thread;
	int udp, tcp;            /* of the upstream server */
	int log;                 /* standard error of the run, and what it was */
	int stderr_before;
	sem_t go;                /* daemon_run() is called */
	int end[2];              /* a pipe: readable when daemon_run() came back */
	atomic_bool over;        /* likewise */
} scene;

/* --- packets */

static size_t question(uint8_t *out, uint16_t id, const char *name)
{
	struct writer w = writer_of(out, 512);

	write16(&w, id);
	write16(&w, 0x0100);
	write16(&w, 1);
	write16(&w, 0);
	write32(&w, 0);
	for (const char *at = name; *at != '\0';) {
		size_t n = strcspn(at, ".");

		write8(&w, (uint8_t)n);
		write_octets(&w, at, n);
		at += n + (at[n] == '.');
	}
	write8(&w, 0);
	write16(&w, 1);
	write16(&w, 1);
	return w.pos;
}

/* The question with an address. */
static size_t answer(uint8_t *packet, size_t n, size_t cap)
{
	static const uint8_t rr[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9 };
	size_t end = 12;

	while (end < n && packet[end] != 0)
		end += packet[end] + 1u;
	end += 5;
	if (n < 12 || end > n || end + sizeof rr > cap)
		return 0;
	packet[2] = 0x85;
	packet[3] = 0x80;
	memset(packet + 6, 0, 6);
	packet[7] = 1;
	memcpy(packet + end, rr, sizeof rr);
	return end + sizeof rr;
}

static struct sockaddr_in at_port(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	(void)inet_pton(AF_INET, scene.p->address, &a.sin_addr);
	return a;
}

static int socket_at(int type, uint16_t port, bool listens)
{
	struct sockaddr_in a = at_port(port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || (listens ? bind(fd, (struct sockaddr *)&a, sizeof a) : connect(fd, (struct sockaddr *)&a, sizeof a)) != 0 || (listens && type == SOCK_STREAM && listen(fd, 10) != 0)) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	return fd;
}

/* --- the upstream server */

static void serve_udp(void)
{
	uint8_t packet[1500];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(scene.udp, packet, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	size_t m = n > 0 ? answer(packet, (size_t)n, sizeof packet) : 0;

	if (m > 0)
		(void)sendto(scene.udp, packet, m, 0, (struct sockaddr *)&from, len);
}

/* One question and the end: what comes later on the connection is asked again. */
static void serve_tcp(void)
{
	uint8_t packet[1500];
	int fd = accept4(scene.tcp, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd ready = { fd, POLLIN, 0 };
	ssize_t n;
	size_t m;

	if (fd < 0)
		return;
	n = poll(&ready, 1, TRY_MS) > 0 ? recv(fd, packet, 514, 0) : 0;
	m = n > 2 ? answer(packet + 2, (size_t)n - 2, sizeof packet - 2) : 0;
	store16(packet, (uint16_t)m);
	if (m > 0)
		(void)send(fd, packet, m + 2, MSG_NOSIGNAL);
	(void)close(fd);
}

static int64_t now_in_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Serves until something is there on fd (true; -1: nothing ever is), the time is over, or the daemon is. */
static bool wait_for(int fd, int ms)
{
	int64_t until = now_in_ms() + ms, left = ms;

	for (; left > 0 && !scene.over; left = until - now_in_ms()) {
		struct pollfd all[4] = { { fd, POLLIN, 0 }, { scene.udp, POLLIN, 0 }, { scene.tcp, POLLIN, 0 }, { scene.end[0], POLLIN, 0 } };

		(void)poll(all, 4, (int)left);
		if (all[1].revents != 0)
			serve_udp();
		if (all[2].revents != 0)
			serve_tcp();
		if (all[0].revents != 0)
			return true;
	}
	return false;
}

/* --- a client */

/* One try: the reply's code; -1: none came. */
static int ask_once(const char *name, bool by_tcp)
{
	uint8_t packet[600];
	int fd = socket_at(by_tcp ? SOCK_STREAM : SOCK_DGRAM, PORT, false), rcode = -1;
	size_t n = question(packet + 2, 77, name);
	ssize_t got;

	if (fd < 0)
		return -1;
	store16(packet, (uint16_t)n);
	if (send(fd, by_tcp ? packet : packet + 2, by_tcp ? n + 2 : n, MSG_NOSIGNAL) > 0 && wait_for(fd, TRY_MS)) {
		got = recv(fd, packet, sizeof packet, MSG_DONTWAIT);
		if (got > 12 + (by_tcp ? 2 : 0))
			rcode = packet[(by_tcp ? 2 : 0) + 3] & 15;
	}
	(void)close(fd);
	return rcode;
}

static void must_answer(const char *name, bool by_tcp)
{
	int rcode = -1;

	for (unsigned int i = 0; i < TRIES && rcode != 0 && !scene.over; i++) {
		rcode = ask_once(name, by_tcp);
		if (rcode > 0)
			(void)wait_for(-1, TRY_MS); /* a failure may be remembered for a while */
	}
	if (rcode != 0 && !scene.over)
		wrong(scene.p, "%s by %s: the last reply has code %d", name, by_tcp ? "TCP" : "UDP", rcode);
}

/* --- the operator. False: the socket is not there, or nothing came back. */

static bool control(const char *command)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[4096], line[100];
	int n = snprintf(line, sizeof line, "UBCT1 %s\n", command);
	ssize_t got = 0;

	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s/ctl", scene.p->dir);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && send(fd, line, (size_t)n, MSG_NOSIGNAL) == n && wait_for(fd, 4 * TRY_MS))
		got = recv(fd, text, sizeof text, 0);
	(void)close(fd);
	return got > 0;
}

/* Twice at most: the call that fails, fails once. */
static void must_obey(const char *command)
{
	if (!control(command) && !control(command) && !scene.over)
		scene.p->said = true; /* whether it is excused is in the log */
}

static bool answers(void)
{
	for (unsigned int ms = 0; ms < PATIENCE_MS && !scene.over; ms += 20) {
		if (ask_once("here.local", false) == 0)
			return true;
		(void)wait_for(-1, 20);
	}
	return false;
}

static void *operate(void *arg)
{
	calls_mine(true);
	while (sem_wait(&scene.go) != 0)
		continue;
	if (answers()) {
		must_answer("here.local", false);
		must_answer("here.local", true);
		must_answer("a.udp.example", false);
		must_answer("a.tcp.example", false);
		must_obey("status");
		must_obey("reload");
		must_answer("here.local", false);
		must_answer("b.udp.example", true);
	} else if (!scene.over) {
		wrong(scene.p, "it neither ends nor answers");
	}
	/* Not before it can hear: the signal is taken by then, unless the start failed late. */
	for (unsigned int i = 0; i < 4 && !scene.over; i++) {
		(void)kill(getpid(), SIGTERM);
		(void)wait_for(-1, 2500);
	}
	return arg;
}

/* --- the scene */

static void write_conf(struct place *p)
{
	char path[128], root[128], hints[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/conf", p->dir);
	(void)snprintf(hints, sizeof hints, "%s/hints", p->dir);
	f = fopen(hints, "w"); /* a root where nobody listens: no packet leaves the machine */
	if (f == NULL || fprintf(f, ". 86400 NS x.root.\nx.root. 86400 A %s\n", p->address) < 0 || fclose(f) != 0)
		abort();
	(void)snprintf(root, sizeof root, "%s/root.key", p->dir);
	f = fopen(root, "w");
	if (f == NULL || fputs(". 86400 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n", f) < 0 || fclose(f) != 0)
		abort();
	f = fopen(path, "w");
	if (f == NULL)
		abort();
	(void)fprintf(f, "server:\n interface: %s@%d\n num-threads: 2\n username: \"\"\n chroot: \"\"\n directory: \"%s\"\n use-syslog: no\n verbosity: 1\n do-daemonize: no\n"
	    " pidfile: \"%s/pid\"\n cache-snapshot: \"%s/snapshot\"\n auto-trust-anchor-file: \"%s\"\n root-hints: \"%s\"\n domain-insecure: example\n do-not-query-localhost: no\n"
	    " msg-cache-size: 64k\n rrset-cache-size: 64k\n key-cache-size: 64k\n neg-cache-size: 64k\n local-data: \"here.local. A 192.0.2.1\"\n"
	    "remote-control:\n control-enable: yes\n control-interface: \"%s/ctl\"\n"
	    "forward-zone:\n name: udp.example\n forward-addr: %s@%d\nforward-zone:\n name: tcp.example\n forward-addr: %s@%d\n forward-tcp-upstream: yes\n",
	    p->address, PORT, p->dir, p->dir, p->dir, root, hints, p->dir, p->address, UPSTREAM_PORT, p->address, UPSTREAM_PORT);
	if (fclose(f) != 0)
		abort();
}

void daemon_prepare(struct place *p)
{
	sigset_t term, before;
	char path[128];

	scene.p = p;
	write_conf(p);
	scene.udp = socket_at(SOCK_DGRAM, UPSTREAM_PORT, true);
	scene.tcp = socket_at(SOCK_STREAM, UPSTREAM_PORT, true);
	if (scene.udp < 0 || scene.tcp < 0 || pipe2(scene.end, O_CLOEXEC) != 0 || sem_init(&scene.go, 0, 0) != 0)
		abort();
	(void)snprintf(path, sizeof path, "%s/log", p->dir);
	scene.log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	scene.stderr_before = dup(STDERR_FILENO);
	if (scene.log < 0 || scene.stderr_before < 0 || dup2(scene.log, STDERR_FILENO) < 0)
		abort();
	/* SIGTERM is for the daemon's own thread; until it takes it, it waits. */
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &term, &before);
	if (pthread_create(&scene.thread, NULL, operate, NULL) != 0)
		abort();
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void daemon_act(struct place *p)
{
	char path[128];
	struct daemon_options o = { .conf_path = path, .foreground = true, .control_open = control_open, .control_close = control_close };

	(void)snprintf(path, sizeof path, "%s/conf", p->dir);
	(void)sem_post(&scene.go);
	p->status = daemon_run(&o);
	calls_mine(true);
	scene.over = true;
	if (write(scene.end[1], "", 1) != 1)
		abort();
	(void)pthread_join(scene.thread, NULL);
	calls_mine(false);
}

static bool is_there(const struct place *p, const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", p->dir, name);
	return stat(path, &st) == 0;
}

void daemon_judge(struct place *p)
{
	char path[128];
	FILE *f;

	(void)dup2(scene.stderr_before, STDERR_FILENO);
	(void)snprintf(path, sizeof path, "%s/log", p->dir);
	f = fopen(path, "r");
	if (f != NULL) {
		p->log[fread(p->log, 1, sizeof p->log - 1, f)] = '\0';
		(void)fclose(f);
	}
	if (p->status != 0 && (strstr(p->log, "error: ") == NULL || strstr(p->log, "cannot start") == NULL))
		wrong(p, "it did not start, and does not say why");
	if (is_there(p, "pid"))
		wrong(p, "the pid file is left (status %d)", p->status);
	if (is_there(p, "ctl"))
		wrong(p, "the control socket is left (status %d)", p->status);
	if (is_there(p, "snapshot.new"))
		wrong(p, "half a snapshot is left");
	if (p->status == 0 && !is_there(p, "snapshot") && strstr(p->log, "snapshot") == NULL)
		wrong(p, "there is no snapshot, and nothing is said of it");
	if (p->said && strstr(p->log, "control") == NULL)
		wrong(p, "the control socket does not answer, and nothing is said of it");
	if (!p->done && p->status == 0 && p->error == 0 && p->said)
		wrong(p, "the control socket does not answer");
	(void)close(scene.udp);
	(void)close(scene.tcp);
	(void)close(scene.end[0]);
	(void)close(scene.end[1]);
	(void)sem_destroy(&scene.go);
	(void)close(scene.log);
	(void)close(scene.stderr_before);
}
