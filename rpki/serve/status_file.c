#include "rpki/serve/status_file.h"

#include "base/file.h"
#include "base/strbuf.h"

RESULT status_file_write(const char *path, const struct status *s)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(STATUS_OCTETS_MAX);

	if (out == NULL)
		return FAIL(ERR_NOMEM);
	TRY(status_encode(s, out));
	return file_write_atomic(path, strbuf_span(out), 0644);
}

RESULT status_file_read(const char *path, struct status **ret)
{
	AUTO_CHARS char *text = NULL;
	size_t n = 0;

	TRY(file_read_all(path, STATUS_OCTETS_MAX, &text, &n));
	return status_decode(span_of(text, n), ret);
}
