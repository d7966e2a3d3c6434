/* as: tests/unit/rpki/test_x.c */
#include <cmocka.h>
#include <stdio.h>
#include <zlib.h>          /* expect: arrows */
#include <lmdb.h>          /* expect: arrows */
#include <openssl/evp.h>   /* expect: arrows */
#include <nobody/knows.h>  /* expect: arrows */
#include "tests/sim/run.h"
