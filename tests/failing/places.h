/* places.h: names for the addresses in a sanitizer's report that was written with symbolize=0. One symbolizer serves a whole program: begun for each report anew, it took most of a sweep's time. */
#ifndef TESTS_FAILING_PLACES_H
#define TESTS_FAILING_PLACES_H

#include <stddef.h>

/* Writes the text again, with the functions and places of this program's own frames. Without llvm-symbolizer, and where the sanitizer has named them itself, it stays as it is. */
void places_name(char *text, size_t room);

#endif
