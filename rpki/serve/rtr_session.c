#include "rpki/serve/rtr_session.h"

void rtr_session_init(struct rtr_session *s, struct rtr_feed *f, struct rtr_counts *counts)
{
	*s = (struct rtr_session){ .feed = f, .counts = counts, .state = RTR_NEW };
}

void rtr_session_done(struct rtr_session *s)
{
	rtr_image_unref(MOVE(s->image));
	mem_free(MOVE(s->waiting));
	mem_free(MOVE(s->report));
}

static void end(struct rtr_session *s, enum rtr_session_end why)
{
	s->state = RTR_ENDED;
	s->end = (uint8_t)why;
}

/* An Error Report in answer to `erroneous`. In RTR_LAST it is the last PDU. */
static void report(struct rtr_session *s, uint8_t version, enum rtr_error code, struct span erroneous, const char *text)
{
	struct writer w;

	if (s->report == NULL)
		s->report = (uint8_t *)mem_alloc_raw(RTR_REPORT_MAX);
	if (s->report == NULL) {
		end(s, RTR_END_MEMORY);
		return;
	}
	w = writer_of(s->report, RTR_REPORT_MAX);
	rtr_write_error(&w, version, code, erroneous, text);
	s->nreport = (uint16_t)w.pos;
	s->report_at = 0;
	s->counts->reports_sent++;
}

/* The router broke the protocol: it is told, and the connection ends. */
static void refuse(struct rtr_session *s, uint8_t version, enum rtr_error code, struct span erroneous, const char *text)
{
	s->state = RTR_LAST;
	s->end = RTR_END_MALFORMED;
	report(s, version, code, erroneous, text);
}

/* ----------------------------------------------------------------------------------------------------------------- answers */

/* Cache Response, the image (taken), End of Data. */
static void respond(struct rtr_session *s, struct rtr_image *image) TAKES(2);
static void respond(struct rtr_session *s, struct rtr_image *image)
{
	struct rtr_state now = rtr_feed_state(s->feed);
	uint16_t session = now.session[s->version];
	struct writer w = writer_of(s->head, sizeof s->head);

	rtr_write_cache_response(&w, s->version, session);
	s->nhead = (uint8_t)w.pos;
	s->head_at = 0;
	rtr_image_unref(MOVE(s->image));
	s->image = image;
	s->image_at = 0;
	w = writer_of(s->tail, sizeof s->tail);
	rtr_write_end_of_data(&w, s->version, session, now.serial, rtr_feed_timers(s->feed));
	s->ntail = (uint8_t)w.pos;
	s->tail_at = 0;
	s->began = rtr_feed_generation(s->feed);
	s->serial = now.serial;
	s->told = true;
	s->established = true;
}

static void say(struct rtr_session *s, struct writer *w)
{
	s->nhead = (uint8_t)w->pos;
	s->head_at = 0;
}

/* 8210bis section 8.4: no error that ends the session; the router asks again, or hears a Notify. */
static void no_data(struct rtr_session *s, struct span query)
{
	s->counts->no_data++;
	report(s, s->version, RTR_NO_DATA, query, "no data yet");
}

static void reset_query(struct rtr_session *s, struct span query)
{
	AUTO(rtr_image_unref) struct rtr_image *image = NULL;

	s->counts->reset_queries++;
	if (rtr_feed_table(s->feed) == NULL) {
		no_data(s, query);
		return;
	}
	if (!OK(rtr_feed_full(s->feed, s->version, &image))) {
		refuse(s, s->version, RTR_INTERNAL_ERROR, query, "out of memory");
		return;
	}
	s->counts->responses_full++;
	respond(s, MOVE(image));
}

static void serial_query(struct rtr_session *s, const struct rtr_pdu *p, struct span query)
{
	AUTO(rtr_image_unref) struct rtr_image *image = NULL;
	struct result r = FAIL(ERR_NOTFOUND);
	bool ours = p->h.field == rtr_feed_state(s->feed).session[s->version];

	s->counts->serial_queries++;
	if (rtr_feed_table(s->feed) == NULL) {
		no_data(s, query);
		return;
	}
	if (!ours && s->established) { /* it was told the session ID in this very connection */
		refuse(s, s->version, RTR_CORRUPT_DATA, query, "not the session ID of this connection");
		return;
	}
	if (ours)
		r = rtr_feed_since(s->feed, s->version, p->serial, &image);
	if (OK(r)) {
		s->counts->responses_delta++;
		respond(s, MOVE(image));
	} else if (r.e == ERR_NOTFOUND) {
		struct writer w = writer_of(s->head, sizeof s->head);

		s->counts->cache_resets++;
		rtr_write_cache_reset(&w, s->version);
		say(s, &w);
	} else {
		refuse(s, s->version, RTR_INTERNAL_ERROR, query, "out of memory");
	}
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

/* The version of a PDU is that of the session, or opens it. False: the PDU goes no further. */
static bool version_fits(struct rtr_session *s, const struct rtr_header *h, struct span octets)
{
	if (s->state == RTR_OPEN) {
		if (h->version == s->version)
			return true;
		refuse(s, s->version, RTR_UNEXPECTED_VERSION, octets, "the version changed within the session");
		return false;
	}
	if (h->version <= RTR_VERSION_MAX) {
		s->version = h->version;
		return true;
	}
	if (h->length < RTR_HEADER || h->length > RTR_PDU_MAX || ++s->offers >= RTR_VERSION_OFFERS) {
		refuse(s, RTR_VERSION_MAX, RTR_UNSUPPORTED_VERSION, octets, "versions 0 to 2 are spoken here");
		return false;
	}
	/* 8210bis section 7: told our highest version, the router may ask again. */
	report(s, RTR_VERSION_MAX, RTR_UNSUPPORTED_VERSION, octets, "versions 0 to 2 are spoken here");
	s->skip = h->length;
	return false;
}

/* A header has come, with as much of its PDU as there is. False: there is no query to wait for. */
static bool header_fits(struct rtr_session *s, const struct rtr_header *h, struct span octets)
{
	enum rtr_error code = RTR_CORRUPT_DATA;
	const char *why = "";

	if (h->type == RTR_ERROR) {
		s->counts->reports_received++;
		s->peer_error = h->field;
		end(s, RTR_END_REPORT);
		return false;
	}
	if (!version_fits(s, h, octets))
		return false;
	if (!rtr_length_fits(h, &code, &why)) {
		refuse(s, s->version, code, octets, why);
		return false;
	}
	if (h->type != RTR_RESET_QUERY && h->type != RTR_SERIAL_QUERY) {
		refuse(s, s->version, RTR_INVALID_REQUEST, octets, "a PDU that a cache sends, not a router");
		return false;
	}
	return true;
}

static void query(struct rtr_session *s, struct span octets)
{
	struct rtr_pdu p = { .serial = 0 };
	enum rtr_error code = RTR_CORRUPT_DATA;
	const char *why = "";

	if (!OK(rtr_read(octets, &p, &code, &why))) {
		refuse(s, s->version, code, octets, why);
		return;
	}
	s->state = RTR_OPEN;
	if (p.h.type == RTR_RESET_QUERY)
		reset_query(s, octets);
	else
		serial_query(s, &p, octets);
}

/* Takes octets up to the end of one query, at most; returns how many. */
static size_t take(struct rtr_session *s, struct span in)
{
	struct rtr_header h;
	size_t n = 0, whole;

	if (s->skip > 0) {
		n = in.n < s->skip ? in.n : s->skip;
		s->skip -= (uint32_t)n;
		return n;
	}
	while (s->npart < RTR_HEADER && n < in.n)
		s->part[s->npart++] = in.p[n++];
	if (s->npart < RTR_HEADER)
		return n;
	h = rtr_header_of(s->part);
	whole = h.length;
	if (s->npart == RTR_HEADER) { /* the rest of the PDU, as far as it is here, goes into a report */
		uint8_t seen[RTR_REPORT_PDU_MAX];
		size_t rest = whole > RTR_HEADER ? whole - RTR_HEADER : 0;
		struct writer w = writer_of(seen, sizeof seen);

		rest = rest < in.n - n ? rest : in.n - n;
		rest = rest < sizeof seen - RTR_HEADER ? rest : sizeof seen - RTR_HEADER;
		write_octets(&w, s->part, RTR_HEADER);
		write_octets(&w, in.p + n, rest);
		if (!header_fits(s, &h, writer_done(&w))) {
			s->npart = 0;
			if (s->skip > 0)
				s->skip -= RTR_HEADER;
			return n;
		}
	}
	while (s->npart < whole && n < in.n)
		s->part[s->npart++] = in.p[n++];
	if (s->npart == whole) {
		s->npart = 0;
		query(s, span_of(s->part, whole));
	}
	return n;
}

static bool ends(const struct rtr_session *s)
{
	return s->state == RTR_LAST || s->state == RTR_ENDED;
}

/* What cannot be answered yet. */
static void put_by(struct rtr_session *s, struct span octets)
{
	if (octets.n > RTR_WAITING_MAX - s->nwaiting) {
		end(s, RTR_END_FLOOD);
		return;
	}
	if (s->waiting == NULL)
		s->waiting = (uint8_t *)mem_alloc_raw(RTR_WAITING_MAX);
	if (s->waiting == NULL) {
		end(s, RTR_END_MEMORY);
		return;
	}
	memcpy(s->waiting + s->nwaiting, octets.p, octets.n);
	s->nwaiting = (uint16_t)(s->nwaiting + octets.n);
}

/* One response at a time: the next query is read when the one before is answered. Returns how many octets were taken. */
static size_t take_queries(struct rtr_session *s, struct span octets)
{
	size_t at = 0;

	while (at < octets.n && !ends(s) && !rtr_session_has_output(s))
		at += take(s, span_of(octets.p + at, octets.n - at));
	return at;
}

void rtr_session_input(struct rtr_session *s, struct span octets)
{
	size_t at = s->nwaiting == 0 ? take_queries(s, octets) : 0;

	if (at < octets.n && !ends(s))
		put_by(s, span_of(octets.p + at, octets.n - at));
}

bool rtr_session_reading(const struct rtr_session *s)
{
	return !ends(s) && !rtr_session_has_output(s) && s->nwaiting == 0;
}

/* The output is empty: what waits is next. */
static void go_on(struct rtr_session *s)
{
	size_t at;

	rtr_image_unref(MOVE(s->image));
	if (s->state == RTR_LAST)
		s->state = RTR_ENDED;
	if (s->state == RTR_ENDED)
		return;
	mem_free(MOVE(s->report));
	if ((s->notify && rtr_session_notify(s)) || s->nwaiting == 0)
		return;
	at = take_queries(s, span_of(s->waiting, s->nwaiting));
	s->nwaiting = (uint16_t)(s->nwaiting - at);
	if (s->nwaiting > 0)
		memmove(s->waiting, s->waiting + at, s->nwaiting);
	else
		mem_free(MOVE(s->waiting));
}

/* ----------------------------------------------------------------------------------------------------------------- sending */

bool rtr_session_responding(const struct rtr_session *s)
{
	return s->image != NULL;
}

bool rtr_session_has_output(const struct rtr_session *s)
{
	if (s->state == RTR_ENDED)
		return false;
	return s->head_at < s->nhead || s->image != NULL || s->tail_at < s->ntail || s->report_at < s->nreport;
}

static struct span piece(const uint8_t *from, size_t n, size_t max)
{
	return span_of(from, n < max ? n : max);
}

static struct span next_piece(struct rtr_session *s, size_t max)
{
	struct span out = span_of(NULL, 0);

	if (s->head_at < s->nhead) {
		out = piece(s->head + s->head_at, (size_t)(s->nhead - s->head_at), max);
		s->head_at = (uint8_t)(s->head_at + out.n);
	} else if (s->image != NULL && s->image_at < rtr_image_octets(s->image).n) {
		struct span all = rtr_image_octets(s->image);

		out = piece(all.p + s->image_at, all.n - s->image_at, max);
		s->image_at += out.n;
	} else if (s->tail_at < s->ntail) {
		out = piece(s->tail + s->tail_at, (size_t)(s->ntail - s->tail_at), max);
		s->tail_at = (uint8_t)(s->tail_at + out.n);
	} else if (s->report_at < s->nreport) {
		out = piece(s->report + s->report_at, (size_t)(s->nreport - s->report_at), max);
		s->report_at = (uint16_t)(s->report_at + out.n);
	}
	return out;
}

struct span rtr_session_output(struct rtr_session *s, size_t max)
{
	struct span out = span_of(NULL, 0);

	while (s->state != RTR_ENDED && max > 0) {
		out = next_piece(s, max);
		if (out.n > 0)
			break;
		go_on(s); /* all is sent; the octets that were given out last may be gone */
		if (!rtr_session_has_output(s))
			break;
	}
	return out;
}

bool rtr_session_notify(struct rtr_session *s)
{
	struct rtr_state now = rtr_feed_state(s->feed);
	struct writer w = writer_of(s->head, sizeof s->head);

	if (s->state != RTR_OPEN || rtr_feed_table(s->feed) == NULL)
		return false;
	s->notify = rtr_session_has_output(s);
	if (s->notify || (s->told && s->serial == now.serial))
		return false;
	rtr_write_serial_notify(&w, s->version, now.session[s->version], now.serial);
	say(s, &w);
	s->serial = now.serial;
	s->told = true;
	s->counts->notifies++;
	return true;
}

void rtr_session_goodbye(struct rtr_session *s, enum rtr_error code)
{
	if (ends(s))
		return;
	if (s->state != RTR_OPEN || s->version < 2 || rtr_session_responding(s)) {
		end(s, RTR_END_GOODBYE);
		return;
	}
	s->state = RTR_LAST;
	s->end = RTR_END_GOODBYE;
	report(s, s->version, code, span_of(NULL, 0), rtr_error_text(code));
}
