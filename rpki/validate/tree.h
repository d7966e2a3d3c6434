/* tree.h: objects in a folder, as HOST/PATH of their rsync URIs; a trust anchor's https URI is looked for at HOST/PATH as well. For --offline, and for tests. */
#ifndef RPKI_VALIDATE_TREE_H
#define RPKI_VALIDATE_TREE_H

#include "rpki/validate/objects.h"

struct tree;
void tree_free(struct tree *t) TAKES(1);
struct tree *tree_new(const char *folder) OWNED_BY(tree_free) NONNULL;
DEFINE_AUTO(struct tree, tree_free)
const struct objects *tree_objects(const struct tree *t) BORROWED NONNULL; /* as long as the tree */

#endif
