/* uri.h: the rsync: URIs that a repository may name objects by. */
#ifndef RPKI_FETCH_URI_H
#define RPKI_FETCH_URI_H

#include "base/cursor.h"

#define RSYNC_URI_MAX 2048u
#define RSYNC_NAME_MAX 255u

/*
 * "rsync://HOST[:PORT]/MODULE/PATH" of an object: at most RSYNC_URI_MAX octets; letters, digits and a few signs; no segment that is empty, starts with a dot or
 * is longer than RSYNC_NAME_MAX; no %, so that one object has one name.
 */
bool rsync_uri_ok(struct span uri);
/* The same of a folder: "rsync://HOST[:PORT]/MODULE/[PATH/]", with or without the last slash. */
bool rsync_folder_ok(struct span uri);
/* One name of a file or folder, as above. */
bool rsync_name_ok(struct span name);

#endif
