#include "tests/sim/run.h"
unsigned int attacks_run(bool verbose, unsigned int *ret_passed) { (void)verbose; *ret_passed = 0; return 0; }
