#include "net/sock_key.h"

#include <errno.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include "net/sock.h"

/* Headers older than Linux 6.7 do not have this, kernels may nevertheless: what it looks like is part of what the kernel never changes. */
#define AO_ADD_KEY 38 /* TCP_AO_ADD_KEY */

struct ao_add {
	struct sockaddr_storage peer;
	char algorithm[64];
	int32_t interface;
	uint32_t flags; /* bit 0: the current key, bit 1: the next one. Not on sockets that listen */
	uint16_t reserved;
	uint8_t prefix, send_id, receive_id, mac_octets, key_flags, key_octets;
	uint8_t key[SOCK_KEY_MAX];
} __attribute__((aligned(8)));

static void set_peer(struct sockaddr_storage *to, const struct prefix *peer)
{
	struct endpoint e = { .a = peer->a };
	union sock_name name;
	socklen_t n = sock_name_set(&name, &e);

	memcpy(to, &name, n);
}

static RESULT set(int fd, int option, const void *value, socklen_t n)
{
	if (setsockopt(fd, IPPROTO_TCP, option, value, n) == 0)
		return DONE;
	return FAIL(errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == ENOENT ? ERR_UNSUPPORTED : ERR_SYSTEM);
}

RESULT sock_key_md5(int fd, const struct prefix *peer, struct span key)
{
	struct tcp_md5sig o = { .tcpm_flags = TCP_MD5SIG_FLAG_PREFIX, .tcpm_prefixlen = peer->len, .tcpm_keylen = (uint16_t)key.n };

	if (key.n == 0 || key.n > SOCK_KEY_MAX)
		return FAIL(ERR_RANGE);
	memcpy(o.tcpm_key, key.p, key.n);
	set_peer((struct sockaddr_storage *)(void *)&o.tcpm_addr, peer);
	return set(fd, TCP_MD5SIG_EXT, &o, sizeof o);
}

RESULT sock_key_ao(int fd, const struct prefix *peer, uint8_t id, struct span key)
{
	struct ao_add o = { .algorithm = "hmac(sha1)", .prefix = peer->len, .send_id = id, .receive_id = id, .mac_octets = 12, .key_octets = (uint8_t)key.n };

	if (key.n == 0 || key.n > SOCK_KEY_MAX)
		return FAIL(ERR_RANGE);
	memcpy(o.key, key.p, key.n);
	set_peer(&o.peer, peer);
	return set(fd, AO_ADD_KEY, &o, sizeof o);
}
