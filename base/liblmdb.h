/* liblmdb.h: what is used of LMDB, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBLMDB_H
#define BASE_LIBLMDB_H

#include <lmdb.h>

#include "base/own.h"

extern void mdb_env_close(MDB_env *) TAKES(1);
extern void mdb_txn_abort(MDB_txn *) TAKES(1);
extern int mdb_txn_commit(MDB_txn *) TAKES(1); /* frees it also when it fails */
extern void mdb_cursor_close(MDB_cursor *) TAKES(1);
extern char *mdb_strerror(int) BORROWED;
DEFINE_AUTO(MDB_env, mdb_env_close)
DEFINE_AUTO(MDB_txn, mdb_txn_abort)
DEFINE_AUTO(MDB_cursor, mdb_cursor_close)

#endif
