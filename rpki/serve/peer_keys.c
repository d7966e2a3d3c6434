#include "rpki/serve/peer_keys.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/sock.h"
#include "net/sock_key.h"

#define FILE_OCTETS 4096u

/* The secret is the file's first and only line. It is not logged, and does not stay in memory. */
static RESULT read_secret(const char *path, char **ret_text, size_t *ret_n)
{
	size_t n = 0;
	struct result r = file_read_all(path, FILE_OCTETS, ret_text, &n);

	if (!OK(r)) {
		log_error("%s: cannot be read: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		return r;
	}
	if (n > 0 && (*ret_text)[n - 1] == '\n')
		n--;
	if (n > 0 && n <= SOCK_KEY_MAX && memchr(*ret_text, '\n', n) == NULL) {
		*ret_n = n;
		return DONE;
	}
	log_error("%s: expected a secret of 1 to %u octets, on one line", path, SOCK_KEY_MAX);
	return FAIL(ERR_FORMAT);
}

static RESULT set_one(const struct conf_clause *rtr, enum conf_opt option, size_t i, int fd, uint8_t family)
{
	bool ao = option == OPT_RTR_TCP_AO;
	const char *path = conf_word(rtr, option, i, ao ? 2 : 1);
	AUTO_CHARS char *secret = NULL;
	struct prefix peer;
	struct result r;
	size_t n;

	TRY(conf_word_prefix(rtr, option, i, 0, &peer));
	if (peer.a.family != family)
		return DONE;
	TRY(read_secret(path, &secret, &n));
	r = ao ? sock_key_ao(fd, &peer, (uint8_t)conf_word_int(rtr, option, i, 1), span_of(secret, n)) : sock_key_md5(fd, &peer, span_of(secret, n));
	explicit_bzero(secret, n);
	if (r.e == ERR_UNSUPPORTED)
		log_error("%s: this kernel has no %s", conf_where(rtr, option, i), ao ? "TCP-AO (it came with Linux 6.7, CONFIG_TCP_AO)" : "TCP-MD5 (CONFIG_TCP_MD5SIG)");
	else if (!OK(r))
		log_error("%s: the key cannot be set: %s", conf_where(rtr, option, i), r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	return r;
}

RESULT peer_keys_set(const struct conf *conf, int fd)
{
	const struct conf_clause *rtr = conf_single(conf, CLAUSE_RTR);
	union sock_name name = { .v6 = { .sin6_family = AF_UNSPEC } };
	socklen_t n = sizeof name;
	struct endpoint at;

	if (getsockname(fd, &name.any, &n) != 0)
		return FAIL(ERR_SYSTEM);
	sock_name_get(&name, &at);
	if (at.a.family == ADDR_NONE)
		return DONE;
	for (size_t i = 0; i < conf_count(rtr, OPT_RTR_TCP_MD5); i++)
		TRY(set_one(rtr, OPT_RTR_TCP_MD5, i, fd, at.a.family));
	for (size_t i = 0; i < conf_count(rtr, OPT_RTR_TCP_AO); i++)
		TRY(set_one(rtr, OPT_RTR_TCP_AO, i, fd, at.a.family));
	return DONE;
}
