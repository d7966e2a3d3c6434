#include "rpki/process/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool write_all(int fd, struct span s)
{
	struct reader r = reader_of(s);

	while (!reader_end(&r)) {
		struct span rest = { r.base + r.pos, reader_left(&r) };
		ssize_t n = write(fd, rest.p, rest.n);

		if (n < 0 && errno != EINTR)
			return false;
		read_skip(&r, n > 0 ? (size_t)n : 0);
	}
	return true;
}

RESULT memory_file_make(struct span octets, int *ret_fd)
{
	int fd = memfd_create("cairn-rpki", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return FAIL(ERR_SYSTEM);
	if (!write_all(fd, octets) || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
		(void)close(fd);
		return FAIL(ERR_SYSTEM);
	}
	*ret_fd = fd;
	return DONE;
}

static RESULT read_all(int fd, uint8_t *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, to + have, n - have, (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return FAIL(ERR_SYSTEM);
		have += (size_t)got;
	}
	return DONE;
}

RESULT memory_file_read(int fd, size_t max, void **ret_octets, size_t *ret_n)
{
	AUTO(mem_free) void *octets = NULL;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return FAIL(ERR_REFUSED);
	if (fstat(fd, &st) != 0)
		return FAIL(ERR_SYSTEM);
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return FAIL(ERR_LIMIT);
	octets = mem_alloc_raw((size_t)st.st_size);
	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_all(fd, (uint8_t *)octets, (size_t)st.st_size));
	*ret_n = (size_t)st.st_size;
	*ret_octets = MOVE(octets);
	return DONE;
}
