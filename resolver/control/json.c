#include "resolver/control/json.h"

#include "base/clock.h"
#include "dns/rdata.h"

void json_key(struct json_out *j, const char *name)
{
	if (j->more)
		strbuf_putc(j->out, ',');
	if (name != NULL)
		strbuf_printf(j->out, "\"%s\":", name);
	j->more = true;
}

void json_open(struct json_out *j, const char *name, char bracket)
{
	json_key(j, name);
	strbuf_putc(j->out, bracket);
	j->more = false;
}

void json_close(struct json_out *j, char bracket)
{
	strbuf_putc(j->out, bracket);
	j->more = true;
}

void json_put_text(struct json_out *j, const char *name, const char *s)
{
	json_key(j, name);
	if (s != NULL)
		strbuf_json_string(j->out, span_text(s));
	else
		strbuf_puts(j->out, "null");
}

void json_put_number(struct json_out *j, const char *name, uint64_t n)
{
	json_key(j, name);
	strbuf_number(j->out, n);
}

void json_put_bool(struct json_out *j, const char *name, bool b)
{
	json_key(j, name);
	strbuf_puts(j->out, b ? "true" : "false");
}

void json_put_name(struct json_out *j, const char *name, struct name n)
{
	char room[NAME_TEXT];

	json_put_text(j, name, n.wire != NULL ? name_to_text(n, room) : NULL);
}

void json_put_type(struct json_out *j, const char *name, uint16_t type)
{
	char room[RRTYPE_TEXT];

	json_put_text(j, name, rrtype_text(type, room));
}

void json_put_time(struct json_out *j, const char *name, int64_t when)
{
	char room[32];

	json_put_text(j, name, clock_iso(when, room));
}

void json_put_prefix(struct json_out *j, const char *name, const struct prefix *p)
{
	char room[ADDR_TEXT];

	json_key(j, name);
	strbuf_printf(j->out, "\"%s/%u\"", addr_text(&p->a, room), p->len);
}
