#include "rpki/object/tak.h"

bool tak_next_uri(struct reader *walk, struct span *ret_uri)
{
	uint8_t tag;

	if (reader_end(walk))
		return false;
	*ret_uri = der_any(walk, &tag);
	return reader_ok(walk);
}

static bool read_key(struct reader *r, struct report *rep, struct tak_key *k)
{
	struct reader in = der_enter(r, DER_SEQUENCE), list;

	k->comments = der_get(&in, DER_SEQUENCE);
	k->uris = der_get(&in, DER_SEQUENCE);
	k->key = key_info_read(&in);
	der_leave(r, &in);
	if (!reader_ok(r))
		UNREADABLE(rep, TAK_DER);
	k->there = true;
	list = reader_of(k->comments);
	while (!reader_end(&list))
		if (!der_utf8_is_good(der_get(&list, DER_UTF8_STRING)))
			reader_fail(&list);
	if (!reader_ok(&list))
		BROKEN(rep, TAK_COMMENTS);
	list = reader_of(k->uris);
	if (reader_end(&list))
		BROKEN(rep, TAK_URIS);
	while (!reader_end(&list)) {
		struct span uri = der_get(&list, DER_IA5_STRING);

		if (!uri_is(uri, "rsync://") && !uri_is(uri, "https://"))
			BROKEN(rep, TAK_URIS);
	}
	if (!key_info_is_profile_rsa(&k->key))
		BROKEN(rep, TAK_KEY);
	return true;
}

static bool read_tagged(struct reader *r, uint8_t tag, struct report *rep, struct tak_key *k)
{
	struct reader in;

	if (der_peek(r) != tag)
		return true;
	in = der_enter(r, tag);
	if (!read_key(&in, rep, k))
		return false;
	der_leave(r, &in);
	return true;
}

static bool read_all(const struct cms *cms, struct report *rep, struct tak *t)
{
	struct reader outer = reader_of(cms->content), r = der_enter(&outer, DER_SEQUENCE);

	if (!reader_ok(&outer) || !reader_end(&outer))
		UNREADABLE(rep, TAK_DER);
	if (der_peek(&r) == DER_CONSTRUCTED) { /* version, whose default 0 is not encoded; a predecessor comes after the current key */
		BROKEN(rep, TAK_VERSION);
		der_whole_any(&r);
	}
	if (!read_key(&r, rep, &t->current) || !read_tagged(&r, DER_CONSTRUCTED, rep, &t->predecessor) ||
	    !read_tagged(&r, DER_CONSTRUCTED + 1, rep, &t->successor))
		return false;
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(rep, TAK_DER);
	return true;
}

RESULT tak_read(const struct cms *cms, struct report *rep, struct tak *ret)
{
	size_t before = rep->count;

	*ret = (struct tak){ .current = { .there = false } };
	return read_all(cms, rep, ret) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}

static bool check(const struct tak *tak, const struct cert *ee, const struct cert *issuer, struct report *rep)
{
	if (ee->claimed.ip4 == CLAIM_SET || ee->claimed.ip6 == CLAIM_SET || ee->claimed.as == CLAIM_SET)
		BROKEN(rep, TAK_INHERIT);
	if (issuer != NULL && !span_equal(tak->current.key.whole, issuer->key.whole))
		BROKEN(rep, TAK_CURRENT);
	return true;
}

RESULT tak_check(const struct tak *tak, const struct cert *ee, const struct cert *issuer, struct report *rep)
{
	size_t before = rep->count;

	return check(tak, ee, issuer, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
