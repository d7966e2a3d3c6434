/* What comes on cairn-rpki's control socket, and from the process that serves to its monitor: any octets. Words have no blank, and are all that stood there. */
#include "rpki/process/operator_line.h"
#include "rpki/process/operator_verbs.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct span line)
{
	struct operator_line x;
	const char *expected = NULL;
	struct result r = operator_line_read(line, &x, &expected);
	size_t octets = 0;

	CHECK(expected != NULL);
	if (!OK(r))
		return;
	CHECK(x.words >= 1 && x.words <= OPERATOR_WORDS && line.n <= OPERATOR_LINE_MAX);
	for (size_t i = 0; i < x.words; i++) {
		CHECK(x.word[i] >= x.text && x.word[i] < x.text + sizeof x.text && *x.word[i] != '\0' && strchr(x.word[i], ' ') == NULL);
		octets += strlen(x.word[i]);
	}
	CHECK(octets < line.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct operator_message m, again;
	uint8_t room[OPERATOR_MESSAGE];

	check_line(span_of(data, size));
	if (OK(operator_message_read(span_of(data, size), &m)))
		CHECK(OK(operator_message_read(operator_message_write(&m, room), &again)) && again.ask.v == m.ask.v && again.what == m.what && again.value == m.value && size == sizeof room);
	return 0;
}
