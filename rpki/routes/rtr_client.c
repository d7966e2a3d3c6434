#include "rpki/routes/rtr_client.h"

#include "rpki/routes/changes.h"

#define NO_ERROR 65535u

struct rtr_client {
	struct rtr_client_options o;
	enum rtr_client_state state;
	struct rtr_timers timers;
	uint8_t version;
	bool agreed;     /* the cache has answered in this version on this connection */
	bool told;       /* it has named the version on this connection */
	bool has_session;
	uint16_t session;
	uint32_t serial;
	bool whole;      /* the answer under way is to a Reset Query */
	struct payload_table *table OWNED_FIELD;
	struct payload_changes *changes OWNED_FIELD; /* of the answer under way */
	uint32_t *providers OWNED_FIELD; /* room for those of one ASPA */
	uint64_t tables_made;
	uint64_t updated, expires; /* of the table */
	uint64_t query_due;        /* in RTR_CLIENT_RESTS */
	uint64_t heard;            /* when something of the answer came last */
	uint64_t connect_due, reconnect_ms;
	uint8_t *part OWNED_FIELD; /* of a PDU that has not come whole: npart octets of room_part */
	size_t npart, room_part;
	uint8_t out[RTR_REPORT_MAX];
	size_t nout;
	unsigned int last_error;
	struct rtr_client_counts counts;
};

void rtr_client_free(struct rtr_client *c)
{
	if (c == NULL)
		return;
	table_unref(MOVE(c->table));
	changes_free(MOVE(c->changes));
	mem_free(MOVE(c->providers));
	mem_free(MOVE(c->part));
	mem_free(c);
}

struct rtr_client *rtr_client_new(const struct rtr_client_options *o)
{
	AUTO(rtr_client_free) struct rtr_client *c = (struct rtr_client *)mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->o = *o;
	c->version = o->max_version;
	c->timers = o->timers;
	c->reconnect_ms = o->reconnect_ms;
	c->last_error = NO_ERROR;
	return MOVE(c);
}

/* ----------------------------------------------------------------------------------------------------------------- sending */

static struct writer append(struct rtr_client *c)
{
	return writer_of(c->out + c->nout, sizeof c->out - c->nout);
}

static void sent(struct rtr_client *c, const struct writer *w)
{
	if (writer_ok(w))
		c->nout += w->pos;
}

struct span rtr_client_output(struct rtr_client *c)
{
	struct span out = span_of(c->out, c->nout);

	c->nout = 0;
	return out;
}

static void forget_answer(struct rtr_client *c)
{
	changes_free(MOVE(c->changes));
}

/* From the session's serial, or everything. */
static void ask(struct rtr_client *c, uint64_t now)
{
	struct writer w = append(c);

	forget_answer(c);
	c->whole = !c->has_session || c->table == NULL;
	if (c->whole)
		rtr_write_reset_query(&w, c->version);
	else
		rtr_write_serial_query(&w, c->version, c->session, c->serial);
	sent(c, &w);
	c->state = RTR_CLIENT_ASKED;
	c->heard = now;
}

/* The cache broke the protocol, or we cannot follow it: it is told, and the connection ends. */
static void refuse(struct rtr_client *c, enum rtr_error code, struct span erroneous, const char *text)
{
	struct writer w = append(c);

	rtr_write_error(&w, c->version, code, erroneous, text);
	sent(c, &w);
	c->counts.reports_sent++;
	c->last_error = code;
	c->state = RTR_CLIENT_LEAVES;
	forget_answer(c);
}

static void flush(struct rtr_client *c)
{
	table_unref(MOVE(c->table));
	c->has_session = false;
}

/* ----------------------------------------------------------------------------------------------------------------- payload */

static RESULT add_aspa(struct rtr_client *c, const struct rtr_pdu *p)
{
	struct aspa_payload a = { .customer = p->customer, .n = p->providers.n / 4 };

	if (c->providers == NULL)
		c->providers = (uint32_t *)mem_alloc_array(PAYLOAD_PROVIDERS_MAX, sizeof *c->providers);
	if (c->providers == NULL)
		return FAIL(ERR_NOMEM);
	rtr_providers(p->providers, c->providers);
	a.providers = c->providers;
	return changes_add_aspa(c->changes, p->announce, &a);
}

static void payload(struct rtr_client *c, const struct rtr_pdu *p, struct span octets)
{
	struct result r = DONE;

	if (c->state != RTR_CLIENT_HEARS) {
		refuse(c, RTR_CORRUPT_DATA, octets, "a payload outside of an answer");
		return;
	}
	if (c->whole && !p->announce) {
		refuse(c, RTR_UNKNOWN_WITHDRAWAL, octets, "a withdrawal in a whole table");
		return;
	}
	if (p->h.type == RTR_ASPA)
		r = add_aspa(c, p);
	else if (p->h.type == RTR_ROUTER_KEY)
		r = changes_add_key(c->changes, p->announce, &p->key);
	else
		r = changes_add_vrp(c->changes, p->announce, &p->vrp);
	if (!OK(r))
		refuse(c, RTR_INTERNAL_ERROR, octets, r.e == ERR_LIMIT ? "more than is taken here" : err_text(r.e));
}

/* The change that may not be, as the PDU that it came in. */
static void refuse_change(struct rtr_client *c, const struct changes_problem *p)
{
	enum rtr_error code = p->fault == CHANGES_DUPLICATE ? RTR_DUPLICATE_ANNOUNCEMENT : RTR_UNKNOWN_WITHDRAWAL;
	bool announce = p->fault == CHANGES_DUPLICATE;
	struct aspa_payload a = { .customer = p->customer };
	uint8_t pdu[RTR_REPORT_PDU_MAX];
	struct writer w = writer_of(pdu, sizeof pdu);

	switch (p->kind) {
	case PAYLOAD_VRP:
		rtr_write_vrp(&w, c->version, announce, &p->vrp);
		break;
	case PAYLOAD_KEY:
		rtr_write_key(&w, c->version, announce, &p->key);
		break;
	case PAYLOAD_ASPA:
	case PAYLOAD_KINDS:
		rtr_write_aspa(&w, c->version, false, &a);
		break;
	}
	refuse(c, code, writer_ok(&w) ? writer_done(&w) : span_of(NULL, 0), rtr_error_text(code));
}

/* The whole answer is there: the next table. */
static void end_of_data(struct rtr_client *c, const struct rtr_pdu *p, struct span octets, uint64_t now)
{
	AUTO(table_unref) struct payload_table *next = NULL;
	struct changes_problem problem = { .fault = CHANGES_SOUND };
	struct result r;

	if (c->state != RTR_CLIENT_HEARS || p->h.field != c->session) {
		refuse(c, RTR_CORRUPT_DATA, octets, "End of Data without its Cache Response");
		return;
	}
	r = changes_apply(c->changes, c->whole ? NULL : c->table, c->tables_made + 1, &problem, &next);
	if (r.e == ERR_FORMAT) {
		refuse_change(c, &problem);
		flush(c);
		return;
	}
	if (!OK(r)) {
		refuse(c, RTR_INTERNAL_ERROR, octets, err_text(r.e));
		return;
	}
	forget_answer(c);
	c->tables_made++;
	c->counts.tables++;
	*(c->whole ? &c->counts.resets : &c->counts.differences) += 1;
	table_unref(MOVE(c->table));
	c->table = MOVE(next);
	c->serial = p->serial;
	c->has_session = true;
	c->timers = c->version > 0 && rtr_timers_sound(&p->timers) ? p->timers : c->o.timers;
	c->updated = now;
	c->expires = now + (uint64_t)c->timers.expire * 1000;
	c->query_due = now + (uint64_t)c->timers.refresh * 1000;
	c->reconnect_ms = c->o.reconnect_ms;
	c->state = RTR_CLIENT_RESTS;
}

/* ------------------------------------------------------------------------------------------------------------ other answers */

static void cache_response(struct rtr_client *c, const struct rtr_pdu *p, struct span octets)
{
	if (c->state != RTR_CLIENT_ASKED) {
		refuse(c, RTR_CORRUPT_DATA, octets, "a Cache Response that nothing asked for");
		return;
	}
	if (!c->whole && p->h.field != c->session) {
		refuse(c, RTR_CORRUPT_DATA, octets, "another session ID than asked for");
		flush(c);
		return;
	}
	c->changes = changes_new(&c->o.limits);
	if (c->changes == NULL) {
		refuse(c, RTR_INTERNAL_ERROR, octets, "out of memory");
		return;
	}
	if (c->whole)
		c->has_session = false; /* until End of Data: the old table is of another session, perhaps */
	c->session = p->h.field;
	c->state = RTR_CLIENT_HEARS;
}

static void serial_notify(struct rtr_client *c, const struct rtr_pdu *p, struct span octets, uint64_t now)
{
	c->counts.notifies++;
	if (c->state != RTR_CLIENT_RESTS)
		return; /* the answer under way, or the next query, will tell */
	if (p->h.field != c->session) {
		refuse(c, RTR_CORRUPT_DATA, octets, "another session ID than agreed upon");
		flush(c);
	} else if (p->serial != c->serial) {
		ask(c, now);
	}
}

/* RFC 8210 section 7: the cache speaks a lower version, which it names. */
static void lower_version(struct rtr_client *c, uint8_t version, uint64_t now)
{
	if (c->version == 0 || c->agreed) {
		c->state = RTR_CLIENT_LEAVES;
		return;
	}
	c->version = version < c->version ? version : (uint8_t)(c->version - 1);
	c->told = true;
	c->counts.downgrades++;
	c->has_session = false; /* session IDs are of one version */
	ask(c, now);
}

static void error_report(struct rtr_client *c, const struct rtr_pdu *p, uint64_t now)
{
	c->counts.reports_received++;
	c->last_error = p->h.field;
	switch (p->h.field) {
	case RTR_NO_DATA: /* section 8.4: ask again later */
		forget_answer(c);
		c->state = RTR_CLIENT_RESTS;
		c->query_due = now + (uint64_t)c->timers.retry * 1000;
		break;
	case RTR_UNSUPPORTED_VERSION:
		lower_version(c, p->h.version, now);
		break;
	case RTR_CACHE_SHUTDOWN: /* 8210bis section 12: its data are not to be used any more */
		flush(c);
		c->state = RTR_CLIENT_LEAVES;
		break;
	default:
		c->state = RTR_CLIENT_LEAVES;
		break;
	}
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

/* The version of the first PDU of a connection may be lower than asked for; after that it stays. False: the PDU goes no further. */
static bool version_fits(struct rtr_client *c, const struct rtr_header *h, struct span octets)
{
	if (h->version == c->version || h->type == RTR_ERROR) {
		c->agreed |= h->version == c->version && h->type != RTR_ERROR && h->type != RTR_SERIAL_NOTIFY;
		return true;
	}
	if (h->type == RTR_SERIAL_NOTIFY && !c->agreed)
		return false; /* section 7: nothing is agreed upon yet */
	if (!c->agreed && h->version < c->version && c->state == RTR_CLIENT_ASKED && c->whole) {
		c->version = h->version;
		c->agreed = true;
		c->counts.downgrades++;
		return true;
	}
	refuse(c, RTR_UNEXPECTED_VERSION, octets, "another version than agreed upon");
	return false;
}

static void take_pdu(struct rtr_client *c, struct span octets, uint64_t now)
{
	struct rtr_header h = rtr_header_of(octets.p);
	struct rtr_pdu p = { .serial = 0 };
	enum rtr_error code = RTR_CORRUPT_DATA;
	const char *why = "";

	c->heard = now;
	if (!version_fits(c, &h, octets))
		return;
	if (!OK(rtr_read(octets, &p, &code, &why))) {
		if (h.type == RTR_ERROR)
			c->state = RTR_CLIENT_LEAVES; /* never answered by another */
		else
			refuse(c, code, octets, why);
		return;
	}
	switch ((enum rtr_type)h.type) {
	case RTR_SERIAL_NOTIFY:
		serial_notify(c, &p, octets, now);
		break;
	case RTR_CACHE_RESPONSE:
		cache_response(c, &p, octets);
		break;
	case RTR_IPV4:
	case RTR_IPV6:
	case RTR_ROUTER_KEY:
	case RTR_ASPA:
		payload(c, &p, octets);
		break;
	case RTR_END_OF_DATA:
		end_of_data(c, &p, octets, now);
		break;
	case RTR_CACHE_RESET:
		c->has_session = false;
		if (c->state == RTR_CLIENT_ASKED && !c->whole)
			ask(c, now);
		else
			refuse(c, RTR_CORRUPT_DATA, octets, "a Cache Reset that answers no Serial Query");
		break;
	case RTR_ERROR:
		error_report(c, &p, now);
		break;
	case RTR_SERIAL_QUERY:
	case RTR_RESET_QUERY:
		refuse(c, RTR_INVALID_REQUEST, octets, "a PDU that a router sends, not a cache");
		break;
	}
}

static bool listens(const struct rtr_client *c)
{
	return c->state != RTR_CLIENT_AWAY && c->state != RTR_CLIENT_LEAVES;
}

/* A header that nothing good can follow. */
static bool header_is_hopeless(struct rtr_client *c, const struct rtr_header *h, struct span octets)
{
	if (h->length >= RTR_HEADER && h->length <= RTR_PDU_MAX)
		return false;
	if (h->type == RTR_ERROR)
		c->state = RTR_CLIENT_LEAVES;
	else
		refuse(c, RTR_CORRUPT_DATA, octets, "no PDU has this length");
	return true;
}

/* What has not come whole is kept, in room for the whole. */
static bool keep_part(struct rtr_client *c, struct span octets, size_t whole)
{
	if (whole > c->room_part) {
		void *p = c->part;
		struct result r = mem_resize(&p, c->room_part, whole, 1);

		c->part = (uint8_t *)p;
		if (!OK(r)) {
			refuse(c, RTR_INTERNAL_ERROR, span_of(NULL, 0), "out of memory");
			return false;
		}
		c->room_part = whole;
	}
	memcpy(c->part + c->npart, octets.p, octets.n);
	c->npart += octets.n;
	return true;
}

/* How long the PDU is that begins here, as far as one can tell: 8 while its header is not whole. */
static size_t whole_length(const uint8_t *p, size_t n)
{
	return n < RTR_HEADER ? RTR_HEADER : rtr_header_of(p).length;
}

/* Goes on with a PDU of which a part is there; returns how many octets it took. */
static size_t fill_part(struct rtr_client *c, struct span in, uint64_t now)
{
	size_t whole = whole_length(c->part, c->npart);
	size_t n = in.n < whole - c->npart ? in.n : whole - c->npart;
	struct rtr_header h;

	if (!keep_part(c, span_of(in.p, n), whole) || c->npart < RTR_HEADER)
		return n;
	h = rtr_header_of(c->part);
	if (!header_is_hopeless(c, &h, span_of(c->part, c->npart)) && c->npart == h.length) {
		size_t all = c->npart;

		c->npart = 0;
		take_pdu(c, span_of(c->part, all), now);
	}
	return n;
}

void rtr_client_input(struct rtr_client *c, uint64_t now, struct span octets)
{
	while (octets.n > 0 && listens(c)) {
		size_t n = whole_length(octets.p, octets.n);
		struct rtr_header h;

		if (c->npart > 0) {
			n = fill_part(c, octets, now);
		} else if (octets.n < RTR_HEADER) {
			n = octets.n;
			(void)keep_part(c, octets, RTR_HEADER);
		} else {
			h = rtr_header_of(octets.p);
			if (header_is_hopeless(c, &h, octets))
				return;
			if (octets.n < n) {
				n = octets.n;
				(void)keep_part(c, octets, h.length);
			} else {
				take_pdu(c, span_of(octets.p, n), now);
			}
		}
		octets = span_of(octets.p + n, octets.n - n);
		c->heard = now;
	}
}

/* -------------------------------------------------------------------------------------------------------- connections, time */

void rtr_client_connected(struct rtr_client *c, uint64_t now)
{
	c->agreed = c->told = false;
	c->npart = 0;
	c->nout = 0;
	ask(c, now);
}

void rtr_client_disconnected(struct rtr_client *c, uint64_t now)
{
	uint64_t most = (uint64_t)c->timers.retry * 1000;

	/* Some caches close when they do not know the version. One that is tried in vain begins again at the top. */
	if (c->state == RTR_CLIENT_ASKED && !c->agreed && !c->told) {
		c->version = c->version > 0 ? (uint8_t)(c->version - 1) : c->o.max_version;
		c->has_session = false;
		c->counts.downgrades++;
	}
	forget_answer(c);
	mem_free(MOVE(c->part));
	c->npart = c->room_part = 0;
	c->nout = 0;
	c->state = RTR_CLIENT_AWAY;
	c->connect_due = now + c->reconnect_ms;
	c->reconnect_ms = c->reconnect_ms * 2 < most ? c->reconnect_ms * 2 : most;
}

enum rtr_wish rtr_client_tick(struct rtr_client *c, uint64_t now)
{
	if (c->table != NULL && now >= c->expires) {
		c->counts.expiries++;
		flush(c);
	}
	switch (c->state) {
	case RTR_CLIENT_AWAY:
		return now >= c->connect_due ? RTR_WISH_CONNECT : RTR_WISH_NOTHING;
	case RTR_CLIENT_ASKED:
	case RTR_CLIENT_HEARS:
		if (now - c->heard < c->o.answer_ms)
			return RTR_WISH_NOTHING;
		c->state = RTR_CLIENT_LEAVES;
		return RTR_WISH_CLOSE;
	case RTR_CLIENT_RESTS:
		if (now >= c->query_due)
			ask(c, now);
		return RTR_WISH_NOTHING;
	case RTR_CLIENT_LEAVES:
		return c->nout == 0 ? RTR_WISH_CLOSE : RTR_WISH_NOTHING;
	}
	return RTR_WISH_NOTHING;
}

uint64_t rtr_client_due(const struct rtr_client *c)
{
	uint64_t due = c->table != NULL ? c->expires : UINT64_MAX, other = UINT64_MAX;

	switch (c->state) {
	case RTR_CLIENT_AWAY:
		other = c->connect_due;
		break;
	case RTR_CLIENT_ASKED:
	case RTR_CLIENT_HEARS:
		other = c->heard + c->o.answer_ms;
		break;
	case RTR_CLIENT_RESTS:
		other = c->query_due;
		break;
	case RTR_CLIENT_LEAVES:
		other = 0;
		break;
	}
	return other < due ? other : due;
}

const struct payload_table *rtr_client_table(const struct rtr_client *c)
{
	return c->table;
}

enum rtr_client_state rtr_client_state(const struct rtr_client *c)
{
	return c->state;
}

uint8_t rtr_client_version(const struct rtr_client *c)
{
	return c->version;
}

uint32_t rtr_client_serial(const struct rtr_client *c)
{
	return c->serial;
}

uint64_t rtr_client_updated(const struct rtr_client *c)
{
	return c->updated;
}

const struct rtr_client_counts *rtr_client_counts(const struct rtr_client *c)
{
	return &c->counts;
}

unsigned int rtr_client_last_error(const struct rtr_client *c)
{
	return c->last_error;
}
