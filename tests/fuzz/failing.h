/* failing.h: standalone.c's other way to go over a corpus: with allocations failing. failing.c tells more. */
#ifndef TESTS_FUZZ_FAILING_H
#define TESTS_FUZZ_FAILING_H

/* how: what follows "--failing" in the argument. Returns main()'s result. */
int failing_main(const char *how, int count, char **paths);

#endif
