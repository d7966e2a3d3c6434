#include "rpki/commands/gather.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "rpki/engine.h"
#include "rpki/settings.h"
#include "rpki/store/store.h"
#include "rpki/validate/tree.h"

#define DEPTH 32u /* of folders in one another */

struct places {
	struct span *octets OWNED_FIELD;
	const char **names OWNED_FIELD; /* in the arena */
	size_t n, room;
};

struct gather {
	struct gather_limits limits;
	struct arena *arena OWNED_FIELD;
	struct places certs, crls;
	uint32_t files;
	struct store *store OWNED_FIELD;
	struct store_view *view OWNED_FIELD;
	struct tree *tree OWNED_FIELD;
	struct objects_reader *reader OWNED_FIELD; /* of the tree */
};

static void places_done(struct places *p)
{
	mem_free(MOVE(p->octets));
	mem_free(MOVE(p->names));
}

void gather_free(struct gather *g)
{
	if (g == NULL)
		return;
	places_done(&g->certs);
	places_done(&g->crls);
	objects_close(MOVE(g->reader));
	tree_free(MOVE(g->tree));
	store_view_close(MOVE(g->view));
	store_close(MOVE(g->store));
	arena_free(MOVE(g->arena));
	mem_free(g);
}

struct gather *gather_new(const struct gather_limits *limits)
{
	AUTO(gather_free) struct gather *g = mem_alloc(sizeof *g);

	if (g == NULL)
		return NULL;
	g->limits = *limits;
	g->arena = arena_new(0);
	return g->arena != NULL ? MOVE(g) : NULL;
}

static RESULT add(struct gather *g, struct places *p, struct span octets, const char *name)
{
	const char *copy;

	if (p->n == p->room) {
		size_t room = p->room * 2 + 16;

		TRY(mem_resize((void **)(void *)&p->octets, p->room, room, sizeof *p->octets));
		TRY(mem_resize((void **)(void *)&p->names, p->room, room, sizeof *p->names));
		p->room = room;
	}
	copy = arena_strdup(g->arena, name);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	p->octets[p->n] = octets;
	p->names[p->n++] = copy;
	return DONE;
}

static RESULT add_span(struct gather *g, struct places *p, struct span octets, struct span uri)
{
	const char *name = arena_printf(g->arena, "%.*s", (int)uri.n, (const char *)uri.p);

	for (size_t i = 0; i < p->n; i++)
		if (span_equal(p->octets[i], octets))
			return DONE;
	return name != NULL ? add(g, p, octets, name) : FAIL(ERR_NOMEM);
}

/* ----------------------------------------------------------------------------------------------------------------- folders */

static RESULT read_file(struct gather *g, const char *path, struct span *ret)
{
	AUTO_CHARS char *text = NULL;
	const uint8_t *copy;
	size_t n = 0;

	TRY(file_read_all(path, g->limits.octets, &text, &n));
	copy = arena_dup(g->arena, text, n);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	*ret = span_of(copy, n);
	return DONE;
}

/* A file of a folder, when it is of a kind that chains need. What cannot be read is no candidate. */
static RESULT look_at_file(struct gather *g, const char *path, const char *name, bool *found)
{
	enum object_type t = object_type_of_name(span_text(name));
	struct span octets;
	struct result r;

	if (t != OBJECT_CERT && t != OBJECT_CRL)
		return DONE;
	if (++g->files > g->limits.files)
		return FAIL(ERR_LIMIT);
	r = read_file(g, path, &octets);
	if (!OK(r))
		return r.e == ERR_NOMEM ? r : DONE;
	*found = true;
	return add(g, t == OBJECT_CERT ? &g->certs : &g->crls, octets, path);
}

/* depth 0: this folder alone. */
static RESULT look_into(struct gather *g, const char *folder, unsigned int depth, bool *found)
{
	DIR *dir = opendir(folder);
	struct result r = DONE;
	const struct dirent *e;

	if (dir == NULL)
		return FAIL(ERR_SYSTEM);
	while (OK(r) && (e = readdir(dir)) != NULL) {
		AUTO_CHARS char *path = e->d_name[0] == '.' ? NULL : mem_printf("%s/%s", folder, e->d_name);
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		if (path == NULL)
			r = FAIL(ERR_NOMEM);
		else if (lstat(path, &st) != 0)
			continue;
		else if (S_ISREG(st.st_mode))
			r = look_at_file(g, path, e->d_name, found);
		else if (S_ISDIR(st.st_mode) && depth > 0)
			r = look_into(g, path, depth - 1, found);
	}
	(void)closedir(dir);
	return r;
}

RESULT gather_below(struct gather *g, const char *folder)
{
	bool found = false;

	return look_into(g, folder, DEPTH, &found);
}

RESULT gather_around(struct gather *g, const char *path)
{
	AUTO_CHARS char *at = strchr(path, '/') != NULL ? mem_strdup(path) : mem_printf("./%s", path);

	if (at == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0; i <= g->limits.above; i++) {
		char *slash = strrchr(at, '/');
		bool found = false;
		struct result r;

		if (slash == NULL)
			return DONE;
		*slash = '\0';
		r = look_into(g, *at != '\0' ? at : "/", 0, &found);
		if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r) || (!found && i > 0))
			return DONE;
	}
	return DONE;
}

/* --------------------------------------------------------------------------------------------------------- store and tree */

static RESULT open_store(struct gather *g, const char *dir, struct strbuf *why)
{
	struct store_limits limits = store_limits_default();
	AUTO_CHARS char *file = mem_printf("%s/objects.mdb", dir);

	if (file == NULL)
		return FAIL(ERR_NOMEM);
	limits.only_look = true;
	if (access(file, F_OK) != 0)
		return DONE; /* nothing was ever fetched: none is made here */
	TRY(store_open(dir, &limits, why, &g->store));
	return store_view_open(g->store, &g->view);
}

struct looking {
	struct gather *g BORROWED_FIELD;
	struct span uri;
	int64_t newest;
	struct span octets;
	bool found;
};

static RESULT look_in_source(void *ctx, enum store_kind kind, struct span source, const struct store_source *src)
{
	struct looking *l = ctx;
	uint8_t hash[STORE_HASH];
	struct span octets = span_of(NULL, 0);
	struct result r;

	(void)kind;
	(void)source;
	r = store_find(l->g->view, src, l->uri, hash);
	if (OK(r))
		r = store_object(l->g->view, hash, &octets);
	if (r.e == ERR_NOTFOUND)
		return DONE;
	TRY(r);
	if (!l->found || src->updated > l->newest) {
		l->octets = octets;
		l->newest = src->updated;
		l->found = true;
	}
	return DONE;
}

RESULT gather_uri(struct gather *g, struct span uri, struct span *ret)
{
	struct looking l = { .g = g, .uri = uri };
	uint8_t hash[OBJECT_HASH];

	if (g->view != NULL)
		TRY(store_each_source(g->view, look_in_source, &l));
	if (l.found) {
		*ret = l.octets;
		return DONE;
	}
	if (g->reader == NULL)
		return FAIL(ERR_NOTFOUND);
	return g->reader->ops->find(g->reader, span_of(NULL, 0), uri, g->limits.octets, g->arena, ret, hash);
}

RESULT gather_hash(struct gather *g, const uint8_t hash[32], struct span *ret)
{
	return g->view != NULL ? store_object(g->view, hash, ret) : FAIL(ERR_NOTFOUND);
}

static RESULT add_anchor(void *ctx, struct span uri, const uint8_t hash[STORE_HASH])
{
	struct gather *g = ctx;
	struct span octets;
	struct result r = store_object(g->view, hash, &octets);

	return OK(r) ? add_span(g, &g->certs, octets, uri) : r.e == ERR_NOTFOUND ? DONE : r;
}

static RESULT add_anchors_of(void *ctx, enum store_kind kind, struct span uri, const struct store_source *src)
{
	struct gather *g = ctx;

	(void)uri;
	return kind == STORE_ANCHOR ? store_each(g->view, src, add_anchor, g) : DONE;
}

/* Those of the tree, by the URIs in their locators. */
static RESULT add_tree_anchors(struct gather *g, const struct conf_clause *rpki, struct strbuf *why)
{
	AUTO(locators_free) struct locators *l = NULL;

	TRY(settings_load_locators(rpki, why, &l));
	for (size_t i = 0; i < locators_count(l); i++) {
		struct report silent;
		struct span octets;
		struct tal tal;

		report_init(&silent);
		if (!OK(tal_read(locators_list(l)[i].text, g->arena, &silent, &tal)))
			continue;
		for (size_t k = 0; k < tal.count; k++)
			if (OK(g->reader->ops->anchor(g->reader, tal.uris[k], g->limits.octets, g->arena, &octets)))
				TRY(add_span(g, &g->certs, octets, tal.uris[k]));
	}
	return DONE;
}

RESULT gather_use(struct gather *g, const struct conf *c, struct strbuf *why)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	const char *dir = conf_text(rpki, OPT_RPKI_CACHE_DIR), *folder = conf_text(rpki, OPT_RPKI_RPKI_TREE);

	if (dir != NULL && *dir != '\0')
		TRY(open_store(g, dir, why));
	if (g->view != NULL)
		TRY(store_each_source(g->view, add_anchors_of, g));
	if (folder == NULL || *folder == '\0')
		return DONE;
	g->tree = tree_new(folder);
	if (g->tree == NULL) {
		strbuf_printf(why, "rpki-tree: %s cannot be opened: %s\n", folder, strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	TRY(tree_objects(g->tree)->ops->open(tree_objects(g->tree), &g->reader));
	return add_tree_anchors(g, rpki, why);
}

/* ------------------------------------------------------------------------------------------------------------------- chain */

/* The certificate of an object: itself, or that of its signature. False: it has none, or none that can be read. */
static bool cert_of(struct gather *g, struct span object, struct cert *ret)
{
	struct report silent;
	struct cms cms;

	report_init_all(&silent, g->arena);
	*ret = (struct cert){ .kind = CERT_EE };
	(void)cert_read(object, cert_kind_of(object), CERT_USE_ANY, g->arena, &silent, ret).e;
	if (ret->key.whole.n > 0)
		return true;
	cms = (struct cms){ .ber = false };
	(void)cms_read(object, OBJECT_UNKNOWN, g->arena, &silent, &cms).e;
	*ret = cms.ee;
	return ret->key.whole.n > 0;
}

static RESULT look_up(struct gather *g, struct places *p, struct span uri, struct span *ret)
{
	struct result r = uri.n > 0 ? gather_uri(g, uri, ret) : FAIL(ERR_NOTFOUND);

	return OK(r) ? add_span(g, p, *ret, uri) : r;
}

/* The manifest that lies beside a CRL under its name, as CAs lay them; otherwise the object itself. */
static struct span stand_in(struct gather *g, struct span object, const char *where)
{
	size_t n = strlen(where);
	AUTO_CHARS char *beside = object_type_of_name(span_text(where)) == OBJECT_CRL ? mem_printf("%.*s.mft", (int)n - 4, where) : NULL;
	struct span manifest;

	if (beside == NULL)
		return object;
	return OK(strncmp(where, "rsync://", 8) == 0 ? gather_uri(g, span_text(beside), &manifest) : read_file(g, beside, &manifest)) ? manifest : object;
}

RESULT gather_chain(struct gather *g, struct span object, const char *where)
{
	if (g->view == NULL && g->reader == NULL)
		return DONE;
	object = stand_in(g, object, where);
	for (unsigned int i = 0; i < INSPECT_MAX_CHAIN; i++) {
		struct span crl, issuer;
		struct cert c;
		struct result r;

		if (!cert_of(g, object, &c) || c.kind == CERT_TA)
			return DONE;
		r = look_up(g, &g->crls, c.crl_uri, &crl);
		if (!OK(r) && r.e != ERR_NOTFOUND && r.e != ERR_LIMIT)
			return r;
		r = look_up(g, &g->certs, c.aia_uri, &issuer);
		if (r.e == ERR_NOTFOUND || r.e == ERR_LIMIT)
			return DONE;
		TRY(r);
		object = issuer;
	}
	return DONE;
}

void gather_context(const struct gather *g, struct inspect_context *ret)
{
	ret->certs = g->certs.octets;
	ret->cert_count = g->certs.n;
	ret->crls = g->crls.octets;
	ret->crl_count = g->crls.n;
}

const char *gather_place(const struct gather *g, struct span cert)
{
	for (size_t i = 0; i < g->certs.n; i++)
		if (span_equal(g->certs.octets[i], cert))
			return g->certs.names[i];
	return "";
}
