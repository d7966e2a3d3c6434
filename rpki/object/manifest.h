/* manifest.h: manifests (RFC 9286). That a number is higher than the last one's (RFC 9286 section 4.2.1, RFC 9981) needs memory, which others have. */
#ifndef RPKI_OBJECT_MANIFEST_H
#define RPKI_OBJECT_MANIFEST_H

#include "rpki/object/cms.h"

struct manifest_file {
	struct span name;
	const uint8_t *hash BORROWED_FIELD; /* SHA-256, 32 octets */
};

struct manifest {
	struct span number; /* INTEGER's octets, not negative */
	int64_t this_update;
	int64_t next_update;
	const struct manifest_file *files ARENA_FIELD; /* in the order of the manifest */
	size_t count;
};

#define MANIFEST_MAX_FILES 1000000 /* the largest seen has 20,000 */
#define MANIFEST_NAME_MAX 255      /* octets */

/* The eContent by itself. ERR_FORMAT: a rule is broken; ERR_NOMEM. */
RESULT manifest_read(const struct cms *cms, struct arena *a, struct report *rep, struct manifest *ret) NONNULL;
/* Its EE certificate inherits all (section 5.1), and now is between its updates. */
RESULT manifest_check(const struct manifest *m, const struct cert *ee, int64_t now, struct report *rep) NONNULL;
/* Less than 0, 0 or more: a is lower than, the same as or higher than b. */
int manifest_number_compare(struct span a, struct span b);
/* RFC 9286 section 4.2.2: letters, digits, hyphen and underscore, a dot, three lower-case letters. */
bool manifest_name_is_good(struct span name);

#endif
