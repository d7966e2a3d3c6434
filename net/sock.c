#include "net/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG_DEFAULT 256u

enum err sock_errno(int e)
{
	return e == EMFILE || e == ENFILE || e == ENOBUFS || e == ENOMEM ? ERR_LIMIT : ERR_SYSTEM;
}

void sock_try_option(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

void sock_buffer(int fd, bool receive, int octets)
{
	if (octets <= 0)
		return;
	if (setsockopt(fd, SOL_SOCKET, receive ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &octets, sizeof octets) != 0)
		sock_try_option(fd, SOL_SOCKET, receive ? SO_RCVBUF : SO_SNDBUF, octets);
}

void sock_ignore_path_mtu(int fd, int family)
{
	if (family == AF_INET)
		sock_try_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	else
		sock_try_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
}

/* The options that were asked for by name: here a refusal is an error. */
static bool set_needed(int fd, int family, const struct listen_options *o, int type)
{
	const int one = 1;

	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0)
		return false;
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
		return false;
	if (o->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0)
		return false;
	if (o->transparent && setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
				      family == AF_INET ? IP_TRANSPARENT : IPV6_TRANSPARENT, &one, sizeof one) != 0)
		return false;
	return !o->freebind || setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
				       family == AF_INET ? IP_FREEBIND : IPV6_FREEBIND, &one, sizeof one) == 0;
}

static void set_wished(int fd, int family, const struct listen_options *o, int type)
{
	sock_buffer(fd, true, o->rcvbuf);
	sock_buffer(fd, false, o->sndbuf);
	if (o->keepalive) /* accepted connections have it from here */
		sock_try_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (o->mss != 0 && type == SOCK_STREAM) /* likewise */
		sock_try_option(fd, IPPROTO_TCP, TCP_MAXSEG, o->mss);
	if (o->dscp >= 0 && family == AF_INET)
		sock_try_option(fd, IPPROTO_IP, IP_TOS, o->dscp << 2);
	else if (o->dscp >= 0)
		sock_try_option(fd, IPPROTO_IPV6, IPV6_TCLASS, o->dscp << 2);
}

RESULT sock_name_path(const char *path, struct sockaddr_un *ret)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof name.sun_path)
		return FAIL(ERR_RANGE);
	memcpy(name.sun_path, path, strlen(path) + 1);
	*ret = name;
	return DONE;
}

/* A Unix socket for its owner and group. What an earlier run left there goes; anything but a socket stays. */
static RESULT listen_path(const char *path, int *ret_fd)
{
	struct sockaddr_un name;
	struct stat st;
	mode_t mask;
	int fd, r, e;

	TRY(sock_name_path(path, &name));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return FAIL(sock_errno(errno));
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	mask = umask(0117);
	r = bind(fd, (const struct sockaddr *)&name, sizeof name);
	e = errno;
	(void)umask(mask);
	if (r != 0) {
		close(fd);
		errno = e;
		return FAIL(ERR_SYSTEM);
	}
	*ret_fd = fd;
	return DONE;
}

RESULT sock_listen(const struct listen_options *o, int type, int *ret_fd)
{
	union sock_name name;
	socklen_t len = sock_name_set(&name, &o->at);
	int fd, e;

	if (o->path != NULL && type == SOCK_STREAM)
		return listen_path(o->path, ret_fd);
	if (len == 0)
		return FAIL(ERR_RANGE);
	fd = socket(name.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return FAIL(sock_errno(errno));
	if (set_needed(fd, name.any.sa_family, o, type) && bind(fd, &name.any, len) == 0) {
		set_wished(fd, name.any.sa_family, o, type);
		*ret_fd = fd;
		return DONE;
	}
	e = errno;
	close(fd);
	errno = e;
	return FAIL(ERR_SYSTEM);
}

RESULT sock_listen_stream(const struct listen_options *o, int *ret_fd)
{
	int fd, e;

	TRY(sock_listen(o, SOCK_STREAM, &fd));
	if (listen(fd, (int)(o->backlog != 0 ? o->backlog : BACKLOG_DEFAULT)) == 0) {
		*ret_fd = fd;
		return DONE;
	}
	e = errno;
	close(fd);
	errno = e;
	return FAIL(ERR_SYSTEM);
}

RESULT sock_connect_stream(const struct endpoint *to, const char *path, int *ret_fd)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX }; /* gcc does not see that TRY leaves when it is not set */
	union sock_name name;
	const struct sockaddr *where = &name.any;
	socklen_t len = sizeof local;
	int fd, e;

	if (path != NULL) {
		TRY(sock_name_path(path, &local));
		where = (const struct sockaddr *)&local;
	} else {
		len = sock_name_set(&name, to);
		if (len == 0)
			return FAIL(ERR_RANGE);
	}
	fd = socket(where->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return FAIL(sock_errno(errno));
	if (path == NULL)
		sock_try_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (connect(fd, where, len) == 0 || errno == EINPROGRESS) {
		*ret_fd = fd;
		return DONE;
	}
	e = errno;
	close(fd);
	errno = e;
	return FAIL(sock_errno(e));
}
